/** `gala stock`: how many more pods fit, where, and what limits it: of a definition, a saved snapshot, or a cluster. */
import type { Command } from 'commander';
import { didYouMean } from '../api/issue.ts';
import { sentence } from '../api/problem.ts';
import { demandOf } from '../scheduling/demand.ts';
import type { Demand } from '../scheduling/types.ts';
import { type Cluster, type ClusterOptions, clusterOptions, inCluster, leaseOptions, namespaceOf } from './cluster.ts';
import { type FactsFrom, factsOfCluster } from './facts.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, type Format, outputOption, print, say } from './output.ts';
import { type Pods, readPodFile } from './pod-file.ts';
import { podsNamed } from './pods-from.ts';
import { collected, type Question, type QuestionOptions, questionOf, questionOptions } from './question.ts';
import { stockAnswer } from './stock-answer.ts';
import { askStockApi, heldFor } from './stock-api.ts';
import { type StockAnswer, stockText } from './stock-text.ts';

interface Options extends QuestionOptions, ClusterOptions {
  readonly file?: string;
  readonly count?: string;
  readonly pool?: readonly string[];
  readonly definition?: string;
  readonly snapshot?: string;
  readonly leaseNamespace: string;
  readonly verbose?: boolean;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .argument('[deployment]', 'whose pods: a Deployment or StatefulSet of the cluster, or <kind>/<name>')
    .option('-f, --file <file>', 'the pods: a Deployment, StatefulSet, Job, Pod, PodTemplate or bare template; - is standard input')
    .option('--definition <name>', 'of a cluster definition, by name or path: no cluster is asked')
    .option('--snapshot <file>', 'of what `gala snapshot` saved: no cluster is asked')
    .option('--count <number>', 'whether so many are there; exit code 3 when not')
    .option('--pool <name>', 'only in this pool; may be repeated', collected);
  withMore(questionOptions(command))
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (deployment, options) => end(await stock(deployment, options)));
};

const withMore = (command: Command): Command =>
  leaseOptions(clusterOptions(command)).option(
    '-v, --verbose',
    'say on stderr who counted: the stock API, or the library with your rights',
  );

const HELP = `
Examples:
  gala stock feed-api -n feed
  gala stock -f examples/feed.yaml --max-per rack=30%
  gala stock -f examples/feed.yaml --definition bj-a            no cluster needed
  gala stock -f examples/feed.yaml --count 200 || echo "not so many"`;

/** Everything of the question but whose pods. */
interface How extends Question {
  readonly pools?: readonly string[];
  readonly count?: number;
}

async function stock(deployment: string | undefined, options: Options): Promise<ExitCode> {
  const how = howOf(options);
  const answer = await answered(deployment, how, options);
  await print(options.output, answer, () => stockText(answer));
  return how.count !== undefined && answer.count < how.count && (answer.want?.found ?? answer.count) < how.count ? 3 : 0;
}

function howOf(options: Options): How {
  const problems: string[] = [];
  const question = questionOf(options, (line) => problems.push(line));
  const { count, pool, definition, snapshot } = options;
  if (count !== undefined && !(/^\d+$/.test(count) && Number(count) >= 1 && Number(count) <= MOST))
    problems.push(`--count is '${count}'; it is 1 to ${MOST}. For example 200.`);
  if (definition !== undefined && snapshot !== undefined)
    problems.push('--definition and --snapshot: facts come from one of the two. Leave one out.');
  if (problems.length > 0) throw new BadInput(problems.join('\n'));
  return { ...question, ...(pool === undefined ? {} : { pools: pool }), ...(count === undefined ? {} : { count: Number(count) }) };
}
const MOST = 1_000_000;

async function answered(deployment: string | undefined, how: How, options: Options): Promise<StockAnswer> {
  const { file, definition, snapshot } = options;
  if ((file === undefined) === (deployment === undefined))
    throw new BadInput(
      file === undefined
        ? 'gala stock: whose pods? Name a Deployment, or give a file: gala stock -f examples/feed.yaml.'
        : `gala stock: got ${deployment} beside -f ${file}; one of them says whose pods. Leave the other out.`,
    );
  const pods = file === undefined ? undefined : readPodFile(file);
  if (definition === undefined && snapshot === undefined)
    return inCluster(options, (cluster) => ofCluster(cluster, pods, deployment, how, options));
  if (pods === undefined)
    throw new BadInput(
      `gala stock: no Deployment ${deployment} can be looked up where no cluster is asked. Give its file: -f examples/feed.yaml.`,
    );
  const { ofDefinition, ofSnapshot } = await import('./facts.ts');
  const { facts, source } = definition === undefined ? ofSnapshot(snapshot as string) : await ofDefinition(definition);
  return counted(pods, namespaceOf(options, pods, 'default'), how, { facts, source });
}

/** The stock API where there is one that we may ask, else the library with our own rights. */
async function ofCluster(
  { api, namespace: here }: Cluster,
  file: Pods | undefined,
  deployment: string | undefined,
  how: How,
  options: Options,
): Promise<StockAnswer> {
  const namespace = namespaceOf(options, file, here);
  const pods = file ?? (await podsNamed(api, namespace, deployment as string)).pods;
  const demand = demanded(pods, namespace);
  const asked = await askStockApi(api, { ...how, namespace, template: pods.template, owner: pods.name }, options.leaseNamespace);
  if ('absent' in asked) {
    if (options.verbose) say(`The library counts, with your rights: ${asked.absent}.`);
    return counted(pods, namespace, how, await factsOfCluster(api));
  }
  if (options.verbose) say(`The stock API counted: ${asked.replica}.`);
  const more = await heldFor(api, demand, asked.answer.pools);
  return { ...about(pods, demand, how, asked.source), ...asked.answer, more };
}

/** What stands at the head of every answer. */
function about({ name, revision }: Pods, demand: Demand, { count: _, ...question }: How, source: StockAnswer['source']) {
  const { namespace, address } = demand;
  const wants = Object.fromEntries(demand.requests);
  return { pods: { ...(name && { name }), namespace, ...(revision && { revision }), wants, address }, question, source };
}

function counted(pods: Pods, namespace: string, how: How, { facts, source }: FactsFrom): StockAnswer {
  const demand = demanded(pods, namespace);
  const { count, ...question } = how;
  const { poolNames } = facts.terrain;
  const unknown = (how.pools ?? []).filter((pool) => !poolNames.includes(pool));
  if (unknown.length > 0)
    throw new BadInput(
      unknown
        .map(
          (pool) =>
            `--pool ${pool}: no such pool; there are ${poolNames.join(', ') || 'none'}. ${didYouMean(pool, poolNames, 'Name one of these.')}`,
        )
        .join('\n'),
    );
  return { ...about(pods, demand, how, source), ...stockAnswer(facts, { demand, ...question }, count) };
}

/** @throws {BadInput} with all that can't be counted */
function demanded(pods: Pods, namespace: string): Demand {
  const { demand, problems } = demandOf(pods.template, {
    namespace,
    ...(pods.name === undefined ? {} : { owner: `${namespace}/${pods.name}` }),
  });
  if (demand === undefined) throw new BadInput(problems.map(sentence).join('\n'));
  return demand;
}
