"""The words OCPP 1.6 itself uses: what a redacted frame may still say. Whatever is not here is removed."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIONS = _words(
    """
    Authorize BootNotification CancelReservation CertificateSigned ChangeAvailability ChangeConfiguration ClearCache
    ClearChargingProfile DataTransfer DeleteCertificate DiagnosticsStatusNotification ExtendedTriggerMessage
    FirmwareStatusNotification GetCompositeSchedule GetConfiguration GetDiagnostics GetInstalledCertificateIds
    GetLocalListVersion GetLog Heartbeat InstallCertificate LogStatusNotification MeterValues RemoteStartTransaction
    RemoteStopTransaction ReserveNow Reset SecurityEventNotification SendLocalList SetChargingProfile
    SignCertificate SignedFirmwareStatusNotification SignedUpdateFirmware StartTransaction StatusNotification
    StopTransaction TriggerMessage UnlockConnector UpdateFirmware
    """
)

WORDS = ACTIONS | _words(
    """
    A Absolute Accepted Available Blocked Body Cable Celcius Celsius ChargePointMaxProfile Charging ConcurrentTx
    ConnectorLockFailure Core Current Current.Export Current.Import Current.Offered Daily DeAuthorized Differential
    DownloadFailed Downloaded Downloading EV EVCommunicationError EVDisconnected EmergencyStop
    Energy.Active.Export.Interval Energy.Active.Export.Register Energy.Active.Import.Interval
    Energy.Active.Import.Register Energy.Reactive.Export.Interval Energy.Reactive.Export.Register
    Energy.Reactive.Import.Interval Energy.Reactive.Import.Register Error Expired Fahrenheit Failed False Faulted
    Finishing FirmwareManagement FormationViolation Frequency Full GenericError GroundFailure Hard HardReset Hertz
    HighTemperature Hz Idle Inlet Inoperative InstallationFailed Installed Installing InternalError
    Interruption.Begin Interruption.End Invalid K L1 L1-L2 L1-N L2 L2-L3 L2-N L3 L3-L1 L3-N Local
    LocalAuthListManagement LocalListConflict MessageTypeNotSupported N NoError NotApplicable NotImplemented
    NotSupported Occupied OccurenceConstraintViolation OccurrenceConstraintViolation Operative Other OtherError
    Outlet OverCurrentFailure OverVoltage Pending Percent Power Power.Active.Export Power.Active.Import Power.Factor
    Power.Offered Power.Reactive.Export Power.Reactive.Import PowerLoss PowerMeterFailure PowerSwitchFailure
    Preparing PropertyConstraintViolation ProtocolError RPM RST RTS Raw ReaderFailure Reboot RebootRequired
    Recurring Rejected Relative Remote RemoteTrigger Reservation Reserved ResetFailure SRT STR Sample.Clock
    Sample.Periodic Scheduled SecurityError SignedData SmartCharging SoC Soft SoftReset SuspendedEV SuspendedEVSE
    TRS TSR Temperature Transaction.Begin Transaction.End Trigger True TxDefaultProfile TxProfile
    TypeConstraintViolation Unavailable UnderVoltage Unknown UnknownMessageId UnknownVendorId UnlockCommand
    UnlockFailed Unlocked UploadFailed Uploaded Uploading V VA VersionMismatch Voltage W WeakSignal Weekly Wh false
    kVA kW kWh kvar kvarh true var varh
    """
)

CONFIGURATION_KEYS = _words(
    """
    AllowOfflineTxForUnknownId AuthorizationCacheEnabled AuthorizeRemoteTxRequests BlinkRepeat
    ChargeProfileMaxStackLevel ChargingScheduleAllowedChargingRateUnit ChargingScheduleMaxPeriods
    ClockAlignedDataInterval ConnectionTimeOut ConnectorPhaseRotation ConnectorPhaseRotationMaxLength
    ConnectorSwitch3to1PhaseSupported GetConfigurationMaxKeys HeartbeatInterval LightIntensity LocalAuthListEnabled
    LocalAuthListMaxLength LocalAuthorizeOffline LocalPreAuthorize MaxChargingProfilesInstalled MaxEnergyOnInvalidId
    MeterValueSampleInterval MeterValuesAlignedData MeterValuesAlignedDataMaxLength MeterValuesSampledData
    MeterValuesSampledDataMaxLength MinimumStatusDuration NumberOfConnectors ReserveConnectorZeroSupported
    ResetRetries SendLocalListMaxLength StopTransactionOnEVSideDisconnect StopTransactionOnInvalidId
    StopTxnAlignedData StopTxnAlignedDataMaxLength StopTxnSampledData StopTxnSampledDataMaxLength
    SupportedFeatureProfiles SupportedFeatureProfilesMaxLength SupportedFileTransferProtocols
    TransactionMessageAttempts TransactionMessageRetryInterval UnlockConnectorOnEVSideDisconnect
    WebSocketPingInterval
    """
)

TIMES = _words(
    """
    currentTime expiryDate retrieveDate scheduleStart startSchedule startTime stopTime timestamp validFrom validTo
    """
)

NUMBERS = _words(
    """
    chargingProfileId connectorId duration id interval limit listVersion meterStart meterStop minChargingRate
    numberPhases reservationId retries retryInterval stackLevel startPeriod transactionId
    """
)

STATED = _words(
    """
    chargingProfileKind chargingProfilePurpose chargingRateUnit context errorCode format location measurand phase
    readonly reason recurrencyKind requestedMessage status type unit updateType
    """
)

NESTED = _words(
    """
    chargingProfile chargingSchedule chargingSchedulePeriod configurationKey csChargingProfiles idTagInfo
    localAuthorizationList meterValue sampledValue transactionData
    """
)

PRODUCT = _words(
    """
    chargePointModel chargePointVendor firmwareVersion
    """
)

TAGS = _words(
    """
    idTag parentIdTag
    """
)

FREE = _words(
    """
    chargeBoxSerialNumber chargePointSerialNumber data fileName iccid imsi info messageId meterSerialNumber
    meterType vendorErrorCode vendorId
    """
)
