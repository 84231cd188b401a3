// Connects with the SDK and writes what happens to it, one JSON array a line. Each line of its input is an rpc to call. Ends when
// it may not come back, or when its input ends. SCRIPT_TOKENS are what the SDK gets one after the other; the first one comes without asking.
const load = require('module').createRequire(process.env.NPM_DIR + '/');
const { Centrifuge } = load('centrifuge');
const tokens = JSON.parse(process.env.SCRIPT_TOKENS);
const say = (...what) => process.stdout.write(JSON.stringify(what) + '\n');

const client = new Centrifuge(process.env.SCRIPT_URL, {
  websocket: load('ws'),
  token: tokens.shift(),
  getToken: tokens.length ? async () => { say('asked'); return tokens.shift(); } : null,
  minReconnectDelay: 50,
});
client.on('connected', ctx => say('connected', ctx.client.length > 0));
client.on('subscribed', ctx => say('subscribed', ctx.channel, ctx.recoverable));
client.on('publication', ctx => say('publication', ctx.channel, ctx.data));
client.on('connecting', ctx => say('connecting', ctx.code, ctx.reason));
client.on('disconnected', ctx => { say('disconnected', ctx.code, ctx.reason); process.exit(); });
client.on('error', ctx => process.stderr.write(JSON.stringify(ctx) + '\n'));
client.connect();
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const { method, data } = JSON.parse(line);
  client.rpc(method, data).then(r => say('answer', r.data), e => say('refused', e.code, e.message));
}).on('close', () => client.disconnect());
