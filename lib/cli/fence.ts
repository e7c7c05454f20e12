/** `gala fence`: a person says that a machine is off, so that its pods and addresses go elsewhere. */
import { IPLock } from '../api/kinds.ts';
import { FENCED_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { isConflict, unlessMissing } from '../kube/error.ts';
import { kindOf, NODES, type Stored } from '../kube/kinds.ts';
import { type Fencing, fencing, takenIn } from '../network/fence.ts';
import { nodeFacts } from '../scheduling/node.ts';
import { type ClusterOptions, inCluster, listed, serverOptions } from './cluster.ts';
import { type Fenced, fencedText } from './fence-text.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, type Format, NotNow, outputOption, print, Refused } from './output.ts';

interface Options extends ClusterOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .argument('<node>', 'the Node, there or gone, whose machine is off')
    .option('--force', 'also a Node that is Ready: it counts as off once it is not')
    .option('--dry-run', 'let the API server check it, and store nothing');
  serverOptions(command)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (node, options) => end(await fence(node, options)));
};

const HELP = `
Be sure that the machine is off: power, not network. One that runs on answers for addresses that others get.

Examples:
  gala fence r12-07
  gala fence r12-07 --dry-run -o json

Exit code 3: the Node is Ready.`;

/** Kubelets and controllers write Nodes all the time. */
const TRIES = 5;

async function fence(name: string, options: Options): Promise<ExitCode> {
  return inCluster({ ...options, command: 'fence' }, async ({ api }): Promise<ExitCode> => {
    for (let tries = 1; ; tries++) {
      const node = await unlessMissing(api.get(NODES, { name }));
      const facts = node && nodeFacts(node);
      const addresses = await listed(api.list(kindOf(IPLock), { fieldSelector: `spec.node=${name}` }));
      const step = fencing({ node: facts, addresses }, options.force ?? false);
      if ('refused' in step) throw refusal(name, step.refused);
      const done = await take(api, node, step, options.dryRun ?? false);
      if (!done && tries < TRIES) continue;
      if (!done) throw new NotNow(`Node ${name}: somebody changed it meanwhile, ${TRIES} times. Ask again.`);
      const answer: Fenced = {
        node: name,
        is: facts === undefined ? 'Gone' : facts.ready ? 'Ready' : 'NotReady',
        did: step.do === 'taint' ? 'tainted' : step.do === 'note' ? 'noted' : 'nothing',
        dryRun: options.dryRun ?? false,
        addresses: takenIn(addresses).map(({ metadata, spec }) => ({
          ...{ address: metadata.name, phase: spec.phase, owner: spec.owner },
          podUID: spec.podUID as string,
        })),
      };
      await print(options.output, answer, () => fencedText(answer));
      return 0;
    }
  });
}

/** @returns false: the Node has changed meanwhile */
async function take(
  api: Api,
  node: Stored<(typeof NODES)['stored'] & object> | undefined,
  step: Exclude<Fencing, { readonly refused: string }>,
  dryRun: boolean,
): Promise<boolean> {
  if (step.do === 'note') {
    // Gone meanwhile is given back.
    for (const { address, podUID } of step.on)
      await unlessMissing(
        api.patch(kindOf(IPLock), { name: address }, { metadata: { annotations: { [FENCED_ANNOTATION]: podUID } } }, { dryRun }),
      );
    return true;
  }
  if (step.do !== 'taint' || node === undefined) return true;
  const { name, uid, resourceVersion } = node.metadata;
  try {
    await api.patch(NODES, { name }, { metadata: { uid, resourceVersion }, spec: { taints: step.taints } }, { dryRun });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

function refusal(name: string, refused: 'Ready' | 'NoSuchNode'): Error {
  if (refused === 'NoSuchNode')
    return new BadInput(`${name}: there is no Node of that name, and no pod's address is on one. kubectl get nodes lists them.`);
  return new Refused(
    `${name}: it is Ready, so its machine is on, or was a minute ago. Switch it off first, or say --force: then it counts as off as soon as it is not Ready. To empty a machine that runs: kubectl drain ${name}`,
  );
}
