/** `gala locks`: the Locks of a namespace, or of all. */
import { Lock } from '../api/kinds.ts';
import { kindOf } from '../kube/kinds.ts';
import { type ClusterOptions, clusterOptions, inCluster, isNoSuchKind } from './cluster.ts';
import { type LockSeen, lockSeen, locksText } from './lock-text.ts';
import type { Declare } from './main.ts';
import { type ExitCode, type Format, NotNow, outputOption, print } from './output.ts';

interface Options extends ClusterOptions {
  readonly allNamespaces?: boolean;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command.option('-A, --all-namespaces', 'of all namespaces');
  clusterOptions(command)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  gala locks -A')
    .action(async (options) => end(await locks(options)));
};

async function locks(options: Options): Promise<ExitCode> {
  return inCluster(options, async ({ api, namespace }): Promise<ExitCode> => {
    const { items } = await api.list(kindOf(Lock), options.allNamespaces ? {} : { namespace }).catch((error: unknown) => {
      if (isNoSuchKind(error))
        throw new NotNow('locks are off in this cluster: it has no kind Lock (locks.gala.internal).', { cause: error });
      throw error;
    });
    const seen = items.map((lock): LockSeen => lockSeen(lock));
    await print(options.output, seen, () => locksText(seen, Date.now(), { allNamespaces: options.allNamespaces ?? false }));
    return 0;
  });
}
