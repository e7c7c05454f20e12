/** `gala` in this process: what it answers, and what it says where. */
import { jest } from '@jest/globals';
import { run } from '../../lib/cli/main.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param args what follows `gala` */
export async function gala(...args: string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const spies = [listen('stdout', (text) => (said.out += text)), listen('stderr', (text) => (said.err += text))];
  try {
    return { code: await run(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function listen(stream: 'stdout' | 'stderr', hear: (text: string) => void) {
  return jest.spyOn(process[stream], 'write').mockImplementation((text) => {
    hear(String(text));
    return true;
  });
}
