/** `gala locks`: the Locks of a namespace, or of all. */
import { Lock } from '../api/kinds.ts';
import { kindOf, type Stored } from '../kube/kinds.ts';
import { type ClusterOptions, clusterOptions, inCluster, unlessOff } from './cluster.ts';
import { lockSeen, locksText } from './lock-text.ts';
import type { Declare } from './main.ts';
import { assertNamespace } from './namespace.ts';
import { type ExitCode, type Format, outputOption, print } from './output.ts';

interface Options extends ClusterOptions {
  readonly allNamespaces?: boolean;
  readonly snapshot?: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('--snapshot <file>', 'as it was in what gala snapshot saved: no cluster is asked');
  clusterOptions(command)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  gala locks -A')
    .action(async (options) => end(await locks(options)));
};

async function locks(options: Options): Promise<ExitCode> {
  if (options.snapshot !== undefined) {
    // Only where it is asked for: what reads a snapshot is more than what lists Locks.
    const { readSnapshotFile } = await import('./snapshot-file.ts');
    const { inventory, readAtMs } = readSnapshotFile(options.snapshot);
    return tell([...inventory.objects('Lock').values()] as Stored<Lock>[], options.namespace ?? 'default', readAtMs, options);
  }
  return inCluster({ ...options, command: options.allNamespaces ? 'locks -A' : 'locks' }, async ({ api, namespace }): Promise<ExitCode> => {
    const { items } = await api.list(kindOf(Lock), options.allNamespaces ? {} : { namespace }).catch(unlessOff);
    if (items.length === 0 && !options.allNamespaces) await assertNamespace(api, namespace);
    return tell(items, namespace, Date.now(), options);
  });
}

async function tell(locks: readonly Stored<Lock>[], namespace: string, nowMs: number, options: Options): Promise<ExitCode> {
  const { allNamespaces = false, output } = options;
  const seen = locks.filter(({ metadata }) => allNamespaces || metadata.namespace === namespace).map((lock) => lockSeen(lock));
  await print(output, seen, () => locksText(seen, nowMs, allNamespaces ? undefined : namespace));
  return 0;
}
