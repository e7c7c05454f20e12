/** `gala ips`: addresses: how many are in use, which, and by whom; and freeing those that nobody uses any more. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { didYouMean } from '../api/issue.ts';
import { vlanId } from '../api/pool.ts';
import type { AddressBook } from './address-book.ts';
import { type ClusterOptions, inCluster, leaseOptions, serverOptions } from './cluster.ts';
import type { FreeOptions } from './ips-free.ts';
import type { MoveOptions } from './ips-move.ts';
import { type BookRead, bookOfCluster, bookOfDefinition, bookOfSnapshot, sourceText } from './ips-read.ts';
import type { RebuildOptions } from './ips-rebuild.ts';
import { columnsOf, rowsOf, STATES, type State } from './ips-rows.ts';
import { BYS, type By, usageOf } from './ips-usage.ts';
import { usageText } from './ips-usage-text.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, outputOption, print, say } from './output.ts';
import { collected } from './question.ts';
import { printRows, type RowFormat } from './row-stream.ts';
import { terminalWidth } from './table.ts';

interface SourceOptions extends Omit<ClusterOptions, 'namespace'> {
  readonly definition?: string;
  readonly snapshot?: string;
  readonly pool?: readonly string[];
  readonly output: RowFormat;
}

interface UsageOptions extends SourceOptions {
  readonly by: By;
}

interface ListOptions extends SourceOptions, Partial<Record<Lowercase<State>, true>> {
  readonly vlan?: readonly number[];
  readonly node?: readonly string[];
  readonly namespace?: readonly string[];
}

export const declare: Declare = (command, end) => {
  command.usage('[command] [options]').enablePositionalOptions().addHelpText('after', HELP);
  const usage = command
    .command('usage', { isDefault: true })
    .description('How many are free, Locked, Bound, Held, Quarantined. What gala ips alone does.')
    .allowExcessArguments()
    .addOption(new Option('--by <what>', 'a row for each').choices(BYS).default('vlan' satisfies By));
  sourceOptions(usage)
    .addHelpText('after', USAGE_HELP)
    .action(async (options, { args }: Command) => end(await showUsage(args, options)));

  const list = command.command('list').description('Addresses one by one: who has them, since when, whether they are wired.');
  for (const state of STATES) list.option(`--${state.toLowerCase()}`, `those that are ${state}`);
  list
    .option('--vlan <id>', 'only of this VLAN; may be repeated', vlans)
    .option('--node <name>', 'only on this node; free ones: that it reaches; may be repeated', collected)
    .option('-n, --namespace <name>', 'only of its owners; free ones: that its pods may have; may be repeated', collected);
  sourceOptions(list)
    .addHelpText('after', LIST_HELP)
    .action(async (options) => end(await showList(options)));

  const free = command
    .command('free')
    .usage('[options] <address>... | --held [owner] | --quarantined')
    .description('Frees Held and Quarantined addresses now. Whoever they are Held for gets others.')
    .argument('[address...]', 'IPv4 addresses')
    .option('--held [owner]', 'all that are Held, or those of an owner: <name> or <namespace>/<name>')
    .option('--quarantined', 'all that are Quarantined')
    .option('--pool <name>', 'with --held and --quarantined: only of this pool; may be repeated', collected)
    .option('-y, --yes', 'do not ask, however many they are')
    .option('--timeout <duration>', 'how long to wait until they are free', '30s')
    .option('--dry-run', 'let the API server check it, and change nothing')
    .option('-n, --namespace <name>', "of an owner; else the context's, else default");
  leaseOptions(serverOptions(free))
    .addOption(outputOption())
    .addHelpText('after', FREE_HELP)
    .action(async (addresses: readonly string[], options: FreeOptions) =>
      end(await (await import('./ips-free.ts')).free(addresses, options)),
    );
  declareMove(command, end);
  declareRebuild(command, end);
};

function declareMove(command: Command, end: (exitCode: number) => void): void {
  const move = command
    .command('move')
    .usage('[options] <address>... | --from <node>')
    .description('Has slots of Locks that no pod has on another node, with their addresses.')
    .argument('[address...]', 'IPv4 addresses')
    .option('--from <node>', 'all of a node that no pod has')
    .option('--to <node>', 'to this one; else the lock writer chooses among those of the VLAN')
    .option('-y, --yes', 'do not ask, however many they are')
    .option('--timeout <duration>', 'how long to wait until they are there', '30s')
    .option('--dry-run', 'let the API server check it, and change nothing');
  leaseOptions(serverOptions(move))
    .addOption(outputOption())
    .addHelpText('after', MOVE_HELP)
    .action(async (addresses: readonly string[], options: MoveOptions) =>
      end(await (await import('./ips-move.ts')).move(addresses, options)),
    );
}

/** Beside the others, which are asked every day. */
function declareRebuild(command: Command, end: (exitCode: number) => void): void {
  const rebuild = command
    .command('rebuild')
    .description('After etcd was restored from a backup: makes the IPLocks anew of what the nodes have wired.')
    .option('--without <node>', 'whose machine is surely off, and that is not asked; may be repeated', collected)
    .option('--stop', 'asks no longer: addresses are given out again, whatever is missing')
    .option('--timeout <duration>', 'how long to wait until it is done', '2m')
    .option('--dry-run', 'let the API server check it, and change nothing');
  leaseOptions(serverOptions(rebuild))
    .addOption(outputOption())
    .addHelpText('after', REBUILD_HELP)
    .action(async (options: RebuildOptions) => end(await (await import('./ips-rebuild.ts')).rebuild(options)));
}

const sourceOptions = (command: Command): Command =>
  serverOptions(
    command
      .option('--definition <name>', 'of a cluster definition, by name or path: no cluster is asked, and nothing is taken')
      .option('--snapshot <file>', 'as it was in what gala snapshot saved: no cluster is asked')
      .option('--pool <name>', 'only of this pool; may be repeated', collected),
  ).addOption(
    new Option('-o, --output <format>', 'how to print').choices(['text', 'wide', 'json', 'yaml']).default('text' satisfies RowFormat),
  );

function vlans(text: string, before: readonly number[] = []): readonly number[] {
  return [
    ...before,
    ...text.split(',').map((one) => {
      const id = Number(one);
      if (!vlanId.safeParse(id).success) throw new InvalidArgumentError(`VLAN id is ${one}; it is 1 to 4094.`);
      return id;
    }),
  ];
}

const HELP = `
Examples:
  gala ips                                   how full each VLAN and subnet is
  gala ips --by node -o wide
  gala ips list --held --vlan 110
  gala ips free --held feed/feed-old         those of a release that is over`;

const USAGE_HELP = `
Examples:
  gala ips
  gala ips --by pool
  gala ips --definition bj-a                 no cluster needed`;

const LIST_HELP = `
Without a state: all that are taken. Several states: those of each.

Examples:
  gala ips list --quarantined -o wide
  gala ips list --free --node bj-a-r12-03 -n feed
  gala ips list -o json | jq -r '.addresses[] | select(.wired.status == "False") | .address'`;

const FREE_HELP = `
Examples:
  gala ips free 10.110.2.37
  gala ips free --held feed/feed-old --dry-run
  gala ips free --quarantined --pool web --yes

Exit code 3: some of it is refused, the reason is told, and nothing is freed. 4: not free in time; it stays asked for.`;

const MOVE_HELP = `
An address moves while no pod has it. Of a node that is drained slots go elsewhere by themselves (moveOnDrain of their Lock).

Examples:
  gala ips move 10.110.2.37
  gala ips move 10.110.2.37 --to bj-a-r12-04
  gala ips move --from bj-a-r12-03 --dry-run

Exit code 3: some of it is refused, the reason is told, and nothing is moved. 4: not moved in time; it stays asked for.`;

const REBUILD_HELP = `
Nobody is given an address before every node has said what is wired there, and all of that has its IPLock.

Examples:
  gala ips rebuild --dry-run
  gala ips rebuild
  gala ips rebuild --without bj-a-r12-07     its machine is off: gala fence

Exit code 3: a node is not Ready; or it is done, and an address is wired in one pod and another's by its IPLock.
4: not done in time; it goes on.`;

async function showUsage(what: readonly string[], options: UsageOptions): Promise<ExitCode> {
  if (what.length > 0)
    throw new BadInput(
      `gala ips: there is no '${what[0]}'. ${didYouMean(what[0]!, ['usage', 'list', 'free', 'move', 'rebuild'], 'It is list, free, move or rebuild; gala who tells of one address.')}`,
    );
  const read = await bookBy(options);
  const { pool: pools, by, output } = options;
  check(read.book, { pools });
  const usage = usageOf(read.book, by, pools);
  const wide = output === 'wide';
  await print(output === 'wide' ? 'text' : output, { ...sourceOf(read), ...usage }, () =>
    [sourceText(read), usageText(usage, { wide, width: terminalWidth() })].join('\n'),
  );
  return 0;
}

async function showList(options: ListOptions): Promise<ExitCode> {
  const { pool: pools, vlan: ofVlans, node: nodes, namespace: namespaces, output } = options;
  const read = await bookBy(options);
  check(read.book, { pools, vlans: ofVlans, nodes });
  const states = STATES.filter((state) => options[state.toLowerCase() as Lowercase<State>]);
  const asked = {
    ...(states.length === 0 ? {} : { states }),
    ...(pools === undefined ? {} : { pools }),
    ...(ofVlans === undefined ? {} : { vlans: ofVlans }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(namespaces === undefined ? {} : { namespaces }),
  };
  const count = await printRows(output, {
    ...{ head: sourceOf(read), name: 'addresses', rows: () => rowsOf(read.book, asked) },
    columns: columnsOf(output === 'wide', read.readAtMs ?? 0),
    none: `No address is so${states.length === 0 ? '; --free lists those that are free' : ''}. gala ips counts them.`,
  });
  say(`${count} of ${sourceText(read)}${read.source.from === 'definition' ? '' : AGES}`);
  return 0;
}

const AGES = ' · SINCE: last write of its IPLock, AGE: since it was made';

function bookBy({ definition, snapshot, ...options }: SourceOptions): Promise<BookRead> {
  if (definition !== undefined && snapshot !== undefined)
    throw new BadInput('--definition and --snapshot: facts come from one of the two. Leave one out.');
  if (definition !== undefined) return bookOfDefinition(definition);
  if (snapshot !== undefined) return bookOfSnapshot(snapshot);
  return inCluster({ ...options, command: 'ips' }, ({ api }) => bookOfCluster(api));
}

const sourceOf = ({ source, readAtMs }: BookRead) => ({
  source,
  ...(readAtMs === undefined ? {} : { readAt: new Date(readAtMs).toISOString() }),
});

interface Named {
  readonly pools?: readonly string[];
  readonly vlans?: readonly number[];
  readonly nodes?: readonly string[];
}

/** @throws {BadInput} with every name that nothing has: an empty list would say that nothing is taken */
function check(book: AddressBook, { pools = [], vlans: ids = [], nodes = [] }: Named): void {
  const known = {
    pool: [...new Set(book.blocks.flatMap(({ reach }) => reach.map(({ pool }) => pool)))],
    vlan: [...new Set(book.blocks.flatMap(({ vlan }) => (vlan === undefined ? [] : [String(vlan)])))],
    node: [...new Set([...book.hosts.map(({ name }) => name), ...book.taken.map(({ node }) => node)])],
  };
  const asked = { pool: pools, vlan: ids.map(String), node: nodes };
  const problems = (['pool', 'vlan', 'node'] as const).flatMap((what) =>
    asked[what]
      .filter((name) => !known[what].includes(name))
      .map(
        (name) =>
          `--${what} ${name}: there is no such ${what === 'vlan' ? 'VLAN' : what} with addresses. ${didYouMean(name, known[what], othersOf(known[what]))}`,
      ),
  );
  if (problems.length > 0) throw new BadInput(problems.join('\n'));
}

/** More names than that are no help. */
const FEW_NAMES = 8;

function othersOf(names: readonly string[]): string {
  if (names.length === 0) return 'None has any.';
  const rest = names.length - FEW_NAMES;
  return `There ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, FEW_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`;
}
