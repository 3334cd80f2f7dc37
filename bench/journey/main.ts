/** One side of the comparison, in a process of its own, so that its CPU and that of its browser can be told from the other's. */
import { fileURLToPath } from 'node:url';
import { bareSide } from './bare.ts';
import { oursSide } from './ours.ts';
import type { Begin, Side, Turn } from './sides.ts';

const CLINIC = fileURLToPath(new URL('../../examples/clinic', import.meta.url));
let side: Side | undefined;

async function turn(journeys: number): Promise<number[]> {
  const wallMs: number[] = [];
  for (let count = 0; count < journeys; count++) {
    const startedMs = performance.now();
    await side?.run();
    wallMs.push(performance.now() - startedMs);
  }
  return wallMs;
}

async function end(): Promise<void> {
  await side?.close();
  process.exit(0);
}

process.on('message', async (message: Begin | Turn) => {
  if (message.type === 'turn') {
    process.send?.({ type: 'done', wallMs: await turn(message.journeys) });
    return;
  }
  side = await (message.side === 'ours' ? oursSide : bareSide)(message, process.env, CLINIC);
  process.send?.({ type: 'ready', browserVersion: side.browserVersion });
});
process.on('disconnect', () => void end());
process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());
