/** `gala unlock`: gives a Lock's unused slots back. A Lock whose slots have pods is kept by policy. */
import { Lock } from '../api/kinds.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { kindOf } from '../kube/kinds.ts';
import { type ClusterOptions, clusterOptions, inCluster, isNoSuchKind, unlessOff } from './cluster.ts';
import { policySentence } from './fault.ts';
import { noSuchLock } from './lock-text.ts';
import type { Declare } from './main.ts';
import { assertNamespace } from './namespace.ts';
import { BadInput, type ExitCode, type Format, outputOption, print, Refused } from './output.ts';

interface Options extends ClusterOptions {
  readonly dryRun?: boolean;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command.argument('<name>', 'the Lock').option('--dry-run', 'let the API server check it, and delete nothing');
  clusterOptions(command)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  gala unlock feed-api-1188 -n feed\n\nExit code 3: pods use it.')
    .action(async (name, options) => end(await unlock(name, options)));
};

async function unlock(name: string, options: Options): Promise<ExitCode> {
  return inCluster({ ...options, command: 'unlock' }, async ({ api, namespace }): Promise<ExitCode> => {
    const id = { namespace, name };
    try {
      await api.delete(kindOf(Lock), id, { dryRun: options.dryRun });
    } catch (error) {
      if (isNotFound(error) && !isNoSuchKind(error)) {
        await assertNamespace(api, namespace);
        throw new BadInput(noSuchLock(id), { cause: error });
      }
      const why = error instanceof ApiError ? policySentence(error.message) : undefined;
      if (why !== undefined) throw new Refused(`${namespace}/${name}: ${why}`, { cause: error });
      unlessOff(error);
    }
    const deleted = { ...id, deleted: !options.dryRun };
    await print(options.output, deleted, () =>
      options.dryRun
        ? `${namespace}/${name} would be deleted; nothing is`
        : `${namespace}/${name} is deleted; its slots are free in a moment, and so are addresses that no pod has had. Others stay Held for their owner: gala leaks`,
    );
    return 0;
  });
}
