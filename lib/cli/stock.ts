/** `gala stock`: how many more pods fit, where, and what limits it: of a definition, a saved snapshot, or a cluster. */
import type { Command } from 'commander';
import { MAX_SLOTS } from '../api/lock.ts';
import { type ClusterOptions, clusterOptions, leaseOptions, namespaceOf } from './cluster.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, type Format, outputOption, print } from './output.ts';
import { readPodFile } from './pod-file.ts';
import { collected, type QuestionOptions, questionOf, questionOptions } from './question.ts';
import type { How } from './stock-answer.ts';
import { type StockAnswer, stockText } from './stock-text.ts';

interface Options extends QuestionOptions, ClusterOptions {
  readonly file?: string;
  readonly count?: string;
  readonly pool?: readonly string[];
  readonly definition?: string;
  readonly without?: readonly string[];
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
    .option('--without <place>', 'of a definition, as if a place were dark: rack=r14, pool=ml, node=r14-01; may be repeated', collected)
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
  gala stock -f examples/feed.yaml --definition bj-a --without rack=r14
  gala stock -f examples/feed.yaml --count 200 || echo "not so many"`;

async function stock(deployment: string | undefined, options: Options): Promise<ExitCode> {
  const how = howOf(options);
  const answer = await answered(deployment, how, options);
  await print(options.output, answer, () => stockText(answer));
  const { want } = answer;
  return want !== undefined && want.found < want.count ? 3 : 0;
}

function howOf(options: Options): How {
  const problems: string[] = [];
  const question = questionOf(options, (line) => problems.push(line));
  const { count, pool, definition, snapshot, without } = options;
  if (count !== undefined && !(/^\d+$/.test(count) && Number(count) >= 1 && Number(count) <= MAX_SLOTS))
    problems.push(`--count is '${count}'; it is 1 to ${MAX_SLOTS}, as many as one Lock takes. For example 200.`);
  if (definition !== undefined && snapshot !== undefined)
    problems.push('--definition and --snapshot: facts come from one of the two. Leave one out.');
  if (without !== undefined && definition === undefined)
    problems.push('--without: only of a definition can a place be thought away. Add --definition.');
  if (problems.length > 0) throw new BadInput(problems.join('\n'));
  return { ...question, ...(pool === undefined ? {} : { pools: pool }), ...(count === undefined ? {} : { count: Number(count) }) };
}

async function answered(deployment: string | undefined, how: How, options: Options): Promise<StockAnswer> {
  const { file, definition, snapshot } = options;
  if ((file === undefined) === (deployment === undefined))
    throw new BadInput(
      file === undefined
        ? 'gala stock: whose pods? Name a Deployment, or give a file: gala stock -f examples/feed.yaml.'
        : `gala stock: got ${deployment} beside -f ${file}; one of them says whose pods. Leave the other out.`,
    );
  const pods = file === undefined ? undefined : readPodFile(file);
  // Each way has libraries of its own, which take longer to read than to ask.
  if (definition === undefined && snapshot === undefined)
    return (await import('./stock-of-cluster.ts')).stockOfCluster(pods ?? (deployment as string), how, options);
  if (pods === undefined)
    throw new BadInput(`gala stock: ${deployment} can't be looked up where no cluster is asked. Give its file: -f examples/feed.yaml.`);
  const asked = { pods, namespace: namespaceOf(options, pods, 'default'), how };
  if (definition !== undefined)
    return (await import('./stock-of-definition.ts')).stockOfDefinition(definition, asked, options.without ?? []);
  return (await import('./stock-of-snapshot.ts')).stockOfSnapshot(snapshot as string, asked);
}
