/**
 * `gala`: the terminal's end of Gala, and the programs of its image. Here is only what there is: each command declares its
 * own arguments, and is read from disk when it is the one that was asked for, so that none of them makes the others slow.
 * Exit codes: 0 done · 2 bad input · 3 refused · 4 not now.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { endedBy } from './fault.ts';
import { notYet } from './not-yet.ts';

/** Adds its arguments, options and action to a command; `end` is told the exit code. */
export type Declare = (command: Command, end: (exitCode: number) => void) => void;

interface Listed {
  readonly does: string;
  readonly load: () => Promise<{ readonly declare: Declare }>;
}

const COMMANDS: Readonly<Record<string, Listed>> = {
  stock: {
    does: 'How many more pods fit now, where, and what limits it.',
    load: () => import('./stock.ts'),
  },
  lock: {
    does: 'Locks slots on nodes, with their addresses, before the pods exist: all or nothing.',
    load: () => import('./lock.ts'),
  },
  unlock: {
    does: 'Gives the slots of a Lock back.',
    load: () => import('./unlock.ts'),
  },
  locks: {
    does: 'The Locks of a namespace: their phase, slots and why not more.',
    load: () => import('./locks.ts'),
  },
  who: {
    does: 'Who has an address: pod, node, MAC, owner, Lock, since when.',
    load: () => import('./who.ts'),
  },
  ips: {
    does: 'Addresses: how many are in use, which, by whom; frees those that nobody uses any more.',
    load: () => import('./ips.ts'),
  },
  explain: {
    does: 'Why a pod waits, host by host.',
    load: () => import('./explain.ts'),
  },
  fence: {
    does: 'Says that a machine is off: its pods and addresses go elsewhere.',
    load: () => import('./fence.ts'),
  },
  leaks: {
    does: 'What is taken and serves nobody: in hand, or leaked.',
    load: () => import('./leaks.ts'),
  },
  snapshot: {
    does: 'Saves what stock, explain, who, locks, ips and leaks ask, for later or elsewhere.',
    load: () => import('./snapshot.ts'),
  },
  status: {
    does: 'The programs, who leads, the last error, which kinds are there: on one page.',
    load: () => import('./status.ts'),
  },
  doctor: {
    does: 'Whether the cluster has what Gala needs, as far as its API tells.',
    load: () => import('./doctor.ts'),
  },
  preflight: {
    does: 'What an AWS account lacks for a scale-up of EC2 pools: addresses, types, reservations, limits.',
    load: () => import('./preflight.ts'),
  },
  images: {
    does: 'What to mirror: each image, where it is published and where clusters pull it.',
    load: () => import('./images.ts'),
  },
  diff: {
    does: 'What applying a synth would do to a cluster that has an earlier one: rolls, restarts, refusals, prunes.',
    load: () => import('./diff.ts'),
  },
  scheduler: {
    does: 'A program of the cluster: the lock writer, the extender of kube-scheduler, the stock and lock API.',
    load: () => import('../scheduling/program.ts'),
  },
  controller: {
    does: 'A program of the cluster: keeps NodeNetworks and the status of intranet pools.',
    load: () => import('../controller/program.ts'),
  },
  cloud: {
    does: 'A program of the cluster: keeps the pod ENIs of EC2 instances.',
    load: () => import('./cloud.ts'),
  },
  cni: {
    does: 'A program of a node: wires pods for the CNI shim, and takes their links down.',
    load: () => import('../network/agent/program.ts'),
  },
};

/**
 * @param args what follows `gala`
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const planned = notYet(args, Object.keys(COMMANDS));
  if (planned !== undefined) {
    process.stderr.write(`${planned}\n`);
    return 4;
  }
  let code = 0;
  const gala = new Command('gala')
    .description('Capacity you can ask for, lock, and release in place.')
    .version(version(), '-V, --version', 'the version of the package')
    .exitOverride()
    .showHelpAfterError('(gala --help tells more)');
  for (const [name, { does }] of Object.entries(COMMANDS))
    gala.command(name).description(does).showHelpAfterError(`(gala ${name} --help tells more)`);
  try {
    const asked = args.find((arg) => Object.hasOwn(COMMANDS, arg));
    const { declare } = (await COMMANDS[asked ?? '']?.load()) ?? {};
    const command = gala.commands.find((command) => command.name() === asked);
    if (command !== undefined)
      declare?.(command, (exitCode) => {
        code = exitCode;
      });
    await gala.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const ended = endedBy(error);
    if (ended === undefined) throw error;
    process.stderr.write(`${ended.message}\n`);
    return ended.exitCode;
  }
}

/** Of the package: two folders up from the source (lib/cli/) and from the bundle (build/bin/). */
function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
