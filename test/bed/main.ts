/** `npm run bed -- doctor | fetch | up | down`: the test bed from a terminal. Exit codes: 0 done, 2 bad input, 4 not now. */
import { existsSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { poolName } from '../../lib/api/pool.ts';
import { diagnose, report } from './doctor.ts';
import { fetchParts, toStderr } from './fetch.ts';
import { BUSINESS } from './images.ts';
import { command, PARTS, type PartName, partsOf } from './parts.ts';
import { down, supervise, type Trial, type TrialOptions, trial, up } from './trial.ts';

const BAD_INPUT = 2;
const NOT_NOW = 4;
/** Two cores simulate this many; above, the API server falls behind. */
const MOST_HOSTS = 5_000;
/** 1.2 GiB of memory each. */
const MOST_NODES = 8;
const NODES = ['control-plane', 'nodes', 'containernetworking-plugins'] as const;

const program = new Command('bed').description('The real parts that the tests run on, and a local trial of them.').exitOverride();

program
  .command('doctor')
  .description('each part: where it comes from, which tests need it')
  .addOption(new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'))
  .action(({ output }: { output: 'table' | 'json' }) => {
    const diagnoses = diagnose();
    console.log(output === 'json' ? JSON.stringify(diagnoses, undefined, 2) : report(diagnoses));
    if (diagnoses.some(({ from }) => from === 'missing')) process.exitCode = NOT_NOW;
  });

program
  .command('fetch')
  .description('get the parts that are missing: the official release, a build from Go modules (about 20 min), or by pip')
  .argument('[parts...]', 'names of parts', (name: string, before: PartName[] = []) => [...before, aPart(name)])
  .action(async (names: PartName[] = []) => {
    const fetched = await fetchParts(names.length > 0 ? names : PARTS.map(({ name }) => name));
    for (const { part, result, why } of fetched) console.log(`${part}: ${result}${why ? `: ${why.join('; ')}` : ''}`);
    if (fetched.some(({ result }) => result === 'not had')) process.exitCode = NOT_NOW;
  });

program
  .command('up')
  .description('start a control plane with simulated hosts, or with nodes that run containers, in the background')
  .option('--hosts <number>', 'how many hosts; 10 when nothing is said', aCount)
  .option('--nodes <number>', 'in place of hosts: how many nodes that run containers', aFew)
  .option('--pool <name>', 'the HostPool whose label they carry; of no pool when left out', aPool)
  .action(async (asked: Partial<TrialOptions>) => {
    if (asked.nodes && asked.hosts) return badInput('kwok would play the pods of the nodes too. Give --hosts or --nodes.');
    const options = { ...asked, hosts: asked.nodes ? 0 : (asked.hosts ?? 10) };
    const running = trial();
    if (running)
      return notNow(
        `a trial with ${sizeOf(running)} is up already. End it with \`npm run bed -- down\`, or go on with it:\n${nextSteps(running)}`,
      );
    const lacking = (await fetchParts(partsOf(options.nodes ? NODES : ['control-plane', 'kwok']))).filter(
      ({ result }) => result === 'not had',
    );
    if (lacking.length > 0) return notNow(lacking.map(({ part, why }) => `${part} can't be had: ${why?.join('; ')}`).join('\n'));
    toStderr('starting etcd, API server, controllers and scheduler');
    console.log(nextSteps(await up(options, toStderr)));
  });

program
  .command('down')
  .description('end it')
  .action(async () => {
    console.log((await down()) ? 'The trial is ended and its data removed.' : 'No trial was up.');
  });

program
  .command('supervise', { hidden: true })
  .requiredOption('--hosts <number>', '', aCount)
  .option('--nodes <number>', '', aCount)
  .option('--pool <name>', '')
  .action((options: TrialOptions) => supervise(options));

const nextSteps = (trial: Trial) => (trial.nodes ? withNodes(trial) : withHosts(trial));
const sizeOf = ({ hosts, nodes }: Trial) => (nodes ? `${nodes} node${nodes === 1 ? '' : 's'}` : `${hosts} hosts`);

const start = (trial: Trial) => [
  `Up: ${trial.url}, ${sizeOf(trial)}${trial.pool === undefined ? '' : ` of pool ${trial.pool}`}.`,
  '',
  `    export KUBECONFIG=${trial.kubeconfig}`,
  // A machine may have neither of its own.
  ...(['kubectl', 'kube-scheduler'] as const).map((part) => `    alias ${part}='${command(part).join(' ')}'`),
  '    kubectl get nodes',
];

const withNodes = (trial: Trial) =>
  [
    ...start(trial),
    `    kubectl create deployment web --image ${BUSINESS} --replicas 4`,
    '    kubectl get pods -o wide',
    '',
    'Images are those that the bed makes; nothing is pulled. End it with `npm run bed -- down`.',
  ].join('\n');

const withHosts = (trial: Trial) =>
  [
    ...start(trial),
    ...(existsSync('dist/hello') ? [] : ['    npx cdk8s synth        # there is no dist/hello yet']),
    '    kubectl apply --server-side -f dist/hello/10-crds.yaml',
    '    kubectl wait --for=condition=Established crd -l app.kubernetes.io/part-of=gala',
    '    kubectl apply --server-side -f dist/hello',
    '',
    "kwok plays all pods here, those of Gala's programs too: nobody writes Locks yet. Run the programs yourself, as the accounts that may write:",
    '',
    '    for one in scheduler controller; do',
    '      cp $KUBECONFIG $KUBECONFIG.$one',
    '      kubectl --kubeconfig $KUBECONFIG.$one config set-credentials gala-$one --token "$(kubectl -n gala-system create token gala-$one --duration 8h)"',
    '      kubectl --kubeconfig $KUBECONFIG.$one config set-context --current --user gala-$one',
    '      npx gala $one --kubeconfig $KUBECONFIG.$one 2> $KUBECONFIG.$one.log &',
    '    done',
    // The hosts of hello's only pool are those with its addresses.
    ...(trial.pool === undefined && trial.hosts > 0 ? ['    kubectl label node --all gala.internal/pool=web > /dev/null'] : []),
    '    kubectl create namespace feed',
    '    npx gala lock -f examples/feed.yaml 200',
    '',
    'How their pods are bound, too: docs/operations/bed.md, "Trying Locks". End it with `npm run bed -- down`, and the programs with `kill %1 %2`.',
  ].join('\n');

function aPart(name: string): PartName {
  if (PARTS.some((part) => part.name === name)) return name as PartName;
  throw new InvalidArgumentError(`no such part. There are ${PARTS.map((part) => part.name).join(', ')}.`);
}

function aPool(text: string): string {
  if (poolName.safeParse(text).success) return text;
  throw new InvalidArgumentError(`'${text}' is no name of a pool: small letters, digits and -. For example web.`);
}

function aCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= MOST_HOSTS) return count;
  throw new InvalidArgumentError(`'${text}' is no number of hosts: 0 to ${MOST_HOSTS}.`);
}

function aFew(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_NODES) return count;
  throw new InvalidArgumentError(`'${text}' is no number of nodes: 1 to ${MOST_NODES}.`);
}

function badInput(why: string): void {
  console.error(why);
  process.exitCode = BAD_INPUT;
}

function notNow(why: string): void {
  console.error(why);
  process.exitCode = NOT_NOW;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
  else notNow((error as Error).message);
}
