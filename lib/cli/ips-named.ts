/** What `gala ips free` and `gala ips move` have in common: addresses by their names, and a person who agrees. */
import { once } from 'node:events';
import { IPLock } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { isNotFound } from '../kube/error.ts';
import { kindOf } from '../kube/kinds.ts';
import { isNoSuchKind, unlessNoAddresses } from './cluster.ts';
import { each } from './ips-asking.ts';
import { type Freeable, freeableOf } from './ips-freeing.ts';
import { BadInput, Refused } from './output.ts';

/** @throws {BadInput} with every name that nobody has */
export async function named(api: Api, addresses: readonly string[]): Promise<Freeable[]> {
  const found = await each([...new Set(addresses)], async (name) => ({
    name,
    ipLock: await api
      .get(kindOf(IPLock), { name })
      .catch((error: unknown) => (isNotFound(error) && !isNoSuchKind(error) ? undefined : unlessNoAddresses(error))),
  }));
  const absent = found.filter(({ ipLock }) => ipLock === undefined);
  if (absent.length > 0)
    throw new BadInput(
      absent
        .map(({ name }) => `${name}: there is no IPLock of this name, so nobody has it. gala who ${name} says whether it is one of Gala's.`)
        .join('\n'),
    );
  return found.flatMap(({ ipLock }) => (ipLock === undefined ? [] : [freeableOf(ipLock)]));
}

export interface Agreement {
  /** `gala ips free` */
  readonly command: string;
  readonly count: number;
  /** `Free 3 addresses?` */
  readonly question: string;
  /** `freed` */
  readonly done: string;
  /** What --yes does: `frees them`. */
  readonly does: string;
  readonly yes: boolean;
}

/** @throws {Refused} where a person would have to agree, and does not, or can't be asked */
export async function agreed({ command, count, question, done, does, yes }: Agreement): Promise<void> {
  if (yes || count === 1) return;
  if (!process.stdin.isTTY)
    throw new Refused(
      `${command}: ${count} addresses would be ${done}, and nobody can be asked: standard input is no terminal. --yes ${does}, --dry-run only says which.`,
    );
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Whoever ends the input, or breaks off (Ctrl-D, Ctrl-C), has not said yes.
    const ended = once(asking, 'close').then(() => '');
    const answered = asking.question(`${question} [y/N] `).catch(() => '');
    const said = await Promise.race([answered, ended]);
    if (!/^y(es)?$/i.test(said.trim())) throw new Refused(`Nothing is ${done}.`);
  } finally {
    asking.close();
  }
}
