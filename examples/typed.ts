// In TypeScript: the editor shows the doc, the unit and the range of each key. Run it with tsx, or with a Node that strips types.
import { createServer } from 'node:http';
import { defaultConfig, install, type OptionOutcome, stats, type TuneConfig } from 'socket-tune';

const config: TuneConfig = {
  ...defaultConfig(),
  keepAliveIdle: 45,
  drain: 20_000,
  ports: { 8443: { ...defaultConfig(), userTimeout: 30_000 } },
  connectPorts: { 5432: { deadPeer: 10 } },
};

const uninstall = install(config);

const server = createServer((_request, response) => {
  response.end('hello\n');
});

/** Options that the kernel did not take as they were asked for. */
function notable(outcomes: readonly OptionOutcome[]): readonly string[] {
  const other = outcomes.filter(({ verdict }) => verdict !== 'applied' && verdict !== 'inherited');
  return other.map(({ constant, verdict, cause = '' }) => `${constant} ${verdict} ${cause}`);
}

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log('listening', notable(stats().listeners.flatMap(({ outcomes }) => outcomes)));
});

process.once('SIGINT', () => {
  server.close(uninstall);
});
