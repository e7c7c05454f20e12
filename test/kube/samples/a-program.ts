/** A program for program.test.ts; its one argument says how it behaves. */
import { setTimeout as after } from 'node:timers/promises';
import { program } from '../../../lib/kube/program.ts';

const aborted = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
/** Keeps the process alive, as a server or a watch does. */
const alive = setInterval(() => {}, 1_000);

const ways: Record<string, (signal: AbortSignal) => Promise<void>> = {
  async 'cleans up'(signal) {
    await aborted(signal);
    await after(50);
    process.stdout.write('cleaned up\n');
  },
  async 'never ends'(signal) {
    await aborted(signal);
    await new Promise(() => {});
  },
  async 'ends by itself'() {},
  async fails() {
    throw new Error('no way in', { cause: new Error('ECONNREFUSED') });
  },
  async 'fails while it cleans up'(signal) {
    await aborted(signal);
    throw new Error('the Lease was not released');
  },
  async 'leaves a promise alone'(signal) {
    void Promise.reject(new Error('nobody waits for me'));
    await aborted(signal);
  },
  async 'throws in a timer'(signal) {
    setTimeout(() => {
      throw new Error('nobody catches me');
    }, 1);
    await aborted(signal);
  },
};

const main = ways[process.argv[2]!]!;
await program({
  ...{ name: 'sample', stopMs: 300 },
  async main(signal) {
    process.stdout.write('running\n');
    await main(signal);
    clearInterval(alive);
  },
});
