// A charge point made with ocpp-rpc in strict mode: it starts a transaction, accepts 0 A and ignores it, and obeys
// RemoteStopTransaction. Every message either way is checked against the schemas of OCPP 1.6 by that library.
//
// Arguments: endpoint, id, simulated seconds per second, POSIX seconds at which simulated time began, and what it showed
// then. Says what happens on standard output, one JSON object a line; ends when standard input is closed.
'use strict';

const { RPCClient, createRPCError } = require('ocpp-rpc');

const [endpoint, identity] = process.argv.slice(2, 4);
const [speed, realOrigin, simulatedOrigin] = process.argv.slice(4, 7).map(Number);

const INTERVAL = 10; // simulated seconds between meter values
const SHARES = [1.0046, 0.9662, 0.9892]; // of the three phases, as in the field case
const VOLTS = [223.6, 224.5, 219.3];
const CONNECTOR = 1;

const now = () => simulatedOrigin + (Date.now() / 1000 - realOrigin) * speed;
const stamp = () => new Date(Math.floor(now()) * 1000).toISOString();
const tell = (event, more = {}) => process.stdout.write(JSON.stringify({ event, utc: now(), ...more }) + '\n');

const configuration = {
    ChargeProfileMaxStackLevel: '8',
    ChargingScheduleAllowedChargingRateUnit: 'Current',
    MaxChargingProfilesInstalled: '4',
    MeterValueSampleInterval: '60',
    MeterValuesSampledData: 'Current.Import',
    NumberOfConnectors: '1',
    SupportedFeatureProfiles: 'Core,SmartCharging,RemoteTrigger',
    WebSocketPingInterval: '30',
};
const READ_ONLY = ['ChargeProfileMaxStackLevel', 'MaxChargingProfilesInstalled', 'NumberOfConnectors'];
const KNOWN_MEASURANDS = ['Current.Import', 'Energy.Active.Import.Register', 'Power.Active.Import', 'Voltage'];

const client = new RPCClient({
    endpoint,
    identity,
    protocols: ['ocpp1.6'],
    strictMode: true,
    reconnect: false,
    callTimeoutMs: 10000,
});

let amperes = 0;
let registerWh = 12345;
let countedAt = now();
let transactionId = null;
let isStarting = false;
let isOver = false;

function read() {
    const currents = amperes ? SHARES.map((share) => amperes * share + (Math.random() - 0.5) * 0.06) : [0, 0, 0];
    const watts = SHARES.map((share, phase) => amperes * share * VOLTS[phase]);
    registerWh += (watts.reduce((sum, value) => sum + value, 0) * (now() - countedAt)) / 3600;
    countedAt = now();
    const perPhase = (measurand, unit, values) =>
        values.map((value, phase) => ({ value, measurand, unit, phase: `L${phase + 1}`, context: 'Sample.Periodic' }));
    return [
        ...perPhase('Current.Import', 'A', currents.map((value) => value.toFixed(2))),
        ...perPhase('Power.Active.Import', 'W', watts.map((value) => String(Math.floor(value / 10) * 10))),
        { value: String(Math.floor(registerWh)), measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
    ];
}

async function sample() {
    const sampledValue = read();
    const meterValue = [{ timestamp: stamp(), sampledValue }];
    const transaction = transactionId === null ? {} : { transactionId };
    await client.call('MeterValues', { connectorId: CONNECTOR, ...transaction, meterValue });
}

const report = (status) =>
    client.call('StatusNotification', { connectorId: CONNECTOR, errorCode: 'NoError', status, timestamp: stamp() });

async function start() {
    const meterStart = Math.floor(registerWh);
    const payload = { connectorId: CONNECTOR, idTag: 'FOREIGN', meterStart, timestamp: stamp() };
    const answer = await client.call('StartTransaction', payload);
    transactionId = answer.transactionId;
    amperes = 6.5;
    tell('started', { transactionId });
    await report('Charging');
}

async function stop() {
    read();
    amperes = 0;
    const meterStop = Math.floor(registerWh);
    const stopped = transactionId;
    transactionId = null;
    await client.call('StopTransaction', { transactionId: stopped, meterStop, timestamp: stamp(), reason: 'Remote' });
    await report('Finishing');
    await sample();
    tell('stopped', { transactionId: stopped });
}

// What follows an answer goes out behind it.
const afterwards = (work) => setTimeout(() => work().catch(fail), 5);

function fail(error) {
    if (!isOver) {
        tell('failed', { message: String(error) });
        process.exitCode = 1;
    }
}

client.handle('ChangeAvailability', () => ({ status: 'Accepted' }));
client.handle('GetConfiguration', () => ({
    configurationKey: Object.entries(configuration).map(([key, value]) => ({
        key,
        value,
        readonly: READ_ONLY.includes(key),
    })),
}));
client.handle('ChangeConfiguration', ({ params }) => {
    const isMeasurands = params.key === 'MeterValuesSampledData';
    if (isMeasurands && !params.value.split(',').every((name) => KNOWN_MEASURANDS.includes(name))) {
        return { status: 'Rejected' };
    }
    configuration[params.key] = params.value;
    return { status: 'Accepted' };
});
client.handle('TriggerMessage', ({ params }) => {
    if (params.requestedMessage === 'MeterValues') {
        afterwards(sample);
        return { status: 'Accepted' };
    }
    return { status: 'NotImplemented' };
});
client.handle('GetCompositeSchedule', () => ({ status: 'Rejected' }));
client.handle('SetChargingProfile', ({ params }) => {
    const limit = params.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit;
    tell('ordered', { limit });
    if (limit > 0 && !isStarting) {
        isStarting = true; // at once: evcc sends the profile twice within a millisecond
        afterwards(start);
    }
    return { status: 'Accepted' };
});
client.handle('RemoteStopTransaction', ({ messageId, params }) => {
    tell('remote_stop', { messageId, transactionId: params.transactionId });
    const isMine = params.transactionId === transactionId;
    if (isMine) {
        afterwards(stop);
    }
    return { status: isMine ? 'Accepted' : 'Rejected' };
});
client.handle(({ method }) => {
    tell('unexpected', { method });
    throw createRPCError('NotImplemented');
});

client.on('strictValidationFailure', ({ method, outbound, error }) =>
    tell('invalid', { method, outbound, message: String(error) }));
client.on('badMessage', ({ error }) => tell('invalid', { message: String(error) }));
client.on('disconnect', ({ code, reason }) => tell('disconnected', { code, reason: String(reason) }));

async function main() {
    await client.connect();
    tell('connected', { protocol: client.protocol });
    const boot = await client.call('BootNotification', { chargePointVendor: 'npm', chargePointModel: 'ocpp-rpc' });
    tell('booted', { status: boot.status });
    await report('Preparing');
    const timer = setInterval(() => sample().catch(fail), (INTERVAL / speed) * 1000);
    process.stdin.resume();
    process.stdin.on('end', async () => {
        isOver = true;
        clearInterval(timer);
        const { code } = await client.close({ code: 1000, reason: 'done', awaitPending: true });
        tell('closed', { code });
    });
}

main().catch((error) => {
    fail(error);
    process.exit(1);
});
