import { mkdirSync } from 'node:fs';
import { expect } from 'chai';
import { withClient } from '../../../bench/client.js';
import { stock } from '../../../bench/contenders.js';
import { kilobytes, writeBodies } from '../../../bench/scratch.js';
import { withServers } from '../../../bench/server.js';
import { useScratch } from '../../support/files/scratch.js';
import { makeCertificate } from '../../support/sockets/certificate.js';

const BODY = kilobytes(100);

describe('the client of HTTPS', () => {
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
    mkdirSync(scratch.path('files'));
    writeBodies(scratch.path('files'), [BODY]);
  });

  function withTarget(bodyLength: number, use: (requests: number) => void): Promise<void> {
    const { key, cert } = makeCertificate(scratch.path('.'));
    const app = stock('frameworks/apps/bare', { FILES: scratch.path('files'), KEY: key, CERT: cert });
    return withServers([app], ([bare]) =>
      withClient(async (client) => {
        const port = bare?.server.port ?? 0;
        const target = { port, protocol: 'http', path: BODY.name, bodyLength, connections: 3 } as const;
        const load = await client.openLoad(target);
        const { requests } = await load.run({ seconds: 20, requests: 50 });
        use(requests);
        expect((await load.run({ seconds: 0.05 })).requests).to.be.at.least(3);
        await load.close();
      }, 'frameworks/tls-client-process'),
    );
  }

  it('makes as many requests as it is told to, and as fit into a time', async () => {
    await withTarget(BODY.bytes, (requests) => expect(requests).to.equal(50));
  });

  it('fails if a body has another length', async () => {
    const failed = await withTarget(BODY.bytes + 1, () => undefined).catch(String);
    expect(failed).to.include('a body of 102400 bytes instead of 102401');
  });
});
