/** `gala preflight`: what an AWS account lacks for a scale-up of a definition's ec2 pools, asked of EC2 with the caller's own credentials. */
import type { Ec2Pool } from '../api/cluster.ts';
import { exitCodeOf, type Finding, preflight } from '../cloud/preflight.ts';
import { readDefinition } from './definition.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, type Format, NotNow, outputOption, print, Refused } from './output.ts';
import { table, terminalWidth } from './table.ts';

interface Options {
  readonly definition: string;
  readonly pool?: string;
  readonly more?: string;
  readonly output: Format;
}

interface Preflight {
  readonly cluster: string;
  readonly pools: readonly {
    readonly pool: string;
    readonly region: string;
    readonly more: number;
    readonly findings: readonly Finding[];
  }[];
}

export const declare: Declare = (command, end) => {
  command
    .requiredOption('--definition <name>', 'a cluster of this repository, or the path of its file')
    .option('--pool <name>', 'one of its ec2 pools; all when left out')
    .option('--more <instances>', 'how many instances are to come; size.max of each pool when left out: as if none was there')
    .addOption(outputOption())
    .addHelpText('after', '\nChanges nothing. Exit code 3: something lacks, or you may not look; 4: something could not be asked.')
    .action(async (options) => end(await ask(options)));
};

async function ask({ definition, pool, more, output }: Options): Promise<ExitCode> {
  if (more !== undefined && !/^[1-9]\d{0,3}$/.test(more))
    throw new BadInput(`--more ${more}: it is a number of instances, 1 to 9999, such as 20.`);
  const cluster = await readDefinition(definition);
  const names = cluster.ec2Pools.map(({ name }) => name);
  const asked = cluster.ec2Pools.filter(({ name }) => pool === undefined || name === pool);
  if (asked.length === 0)
    throw new BadInput(
      pool === undefined
        ? `${cluster.name} has no ec2 pool: there is nothing to ask of EC2.`
        : `--pool ${pool}: ${cluster.name} has no such ec2 pool; it has ${names.join(', ') || 'none'}.`,
    );
  const pools = [];
  for (const each of asked) {
    const count = more === undefined ? each.size.max : Number(more);
    pools.push({ pool: each.name, region: each.region, more: count, findings: preflight(each, count, await look(each)) });
  }
  const answer: Preflight = { cluster: cluster.name, pools };
  await print(output, answer, () => text(answer));
  return exitCodeOf(pools.flatMap(({ findings }) => findings));
}

async function look(pool: Ec2Pool) {
  // Reading the SDK takes as long as most commands.
  const { lookAhead } = await import('../cloud/preflight-account.ts');
  try {
    return await lookAhead(pool);
  } catch (error) {
    const { name, message } = error as Error;
    const options = { cause: error };
    if (name === 'CredentialsProviderError')
      throw new Refused(
        'no credentials of AWS: aws configure, aws sso login, or AWS_PROFILE. ec2:Describe* is all that is asked for.',
        options,
      );
    if (/^(UnauthorizedOperation|AuthFailure|ExpiredToken|RequestExpired|InvalidClientTokenId)/.test(name))
      throw new Refused(`EC2 in ${pool.region} refuses: ${name}: ${message}. ec2:Describe* is all that is asked for.`, options);
    throw new NotNow(`EC2 in ${pool.region} does not say: ${name}: ${message}. Ask again in a moment.`, options);
  }
}

function text({ cluster, pools }: Preflight): string {
  const width = terminalWidth();
  return pools
    .flatMap(({ pool, region, more, findings }) => {
      const lacks = findings.filter(({ verdict }) => verdict === 'lacks').length;
      const rows = findings.map(({ verdict, check, what, remedy }) => [
        verdict,
        check,
        verdict === 'ok' || remedy === undefined ? what : `${what}. ${remedy}`,
      ]);
      return [
        `${cluster} ${pool}, ${region}: ${more} instances more`,
        table(rows, { width }),
        lacks === 0 ? 'Nothing lacks that EC2 tells of.' : `${lacks} of ${findings.length} lack.`,
      ];
    })
    .join('\n');
}
