/**
 * The baseline: `node:http` and nothing else. So many requests at once, a fresh connection each, the answer read to its end, as
 * fast as they go. Told `{type: 'go', url, concurrency, forMs}`, it answers `{type: 'done', requests, cpuS}` of its own process.
 */
import { Agent, request } from 'node:http';

interface Go {
  type: 'go';
  url: string;
  concurrency: number;
  forMs: number;
}

const agent = new Agent({ keepAlive: false });

function get(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`The target answered ${response.statusCode}.`));
      response.resume().once('end', resolve).once('error', reject);
    });
    sent.once('error', reject).end();
  });
}

async function run({ url, concurrency, forMs }: Go): Promise<number> {
  const endMs = performance.now() + forMs;
  let requests = 0;
  const oneAfterTheOther = async () => {
    for (; performance.now() < endMs; requests++) await get(url);
  };
  await Promise.all(Array.from({ length: concurrency }, oneAfterTheOther));
  return requests;
}

process.on('message', async (go: Go) => {
  // As the pipeline is measured warm, so is this.
  await run({ ...go, forMs: go.forMs / 4 });
  const before = process.cpuUsage();
  const requests = await run(go);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ type: 'done', requests, cpuS: (user + system) / 1e6 });
});
process.on('disconnect', () => process.exit(0));
