/** The pods that a command is about: a file's, or those of an object that the cluster has, as `feed-api` or `statefulset/redis`. */
import type { Api } from '../kube/client.ts';
import { unlessMissing } from '../kube/error.ts';
import { type AnyObject, DEPLOYMENTS, JOBS, type Kind, PODS, PODTEMPLATES, REPLICASETS, STATEFULSETS } from '../kube/kinds.ts';
import { assertNamespace } from './namespace.ts';
import { BadInput } from './output.ts';
import { type Pods, podsOf } from './pod-file.ts';

/** By the words that kubectl takes for them. */
const WORDS: readonly { readonly kind: Kind<AnyObject>; readonly words: readonly string[] }[] = [
  { kind: DEPLOYMENTS, words: ['deployment', 'deployments', 'deploy'] },
  { kind: STATEFULSETS, words: ['statefulset', 'statefulsets', 'sts'] },
  { kind: REPLICASETS, words: ['replicaset', 'replicasets', 'rs'] },
  { kind: JOBS, words: ['job', 'jobs'] },
  { kind: PODTEMPLATES, words: ['podtemplate', 'podtemplates'] },
  { kind: PODS, words: ['pod', 'pods', 'po'] },
];
/** What a bare name may be, in this order. */
const BARE: readonly Kind<AnyObject>[] = [DEPLOYMENTS, STATEFULSETS];

export interface Named {
  readonly kind: string;
  readonly pods: Pods;
}

/** @throws {BadInput} when there is no such object */
export async function podsNamed(api: Api, namespace: string, asked: string): Promise<Named> {
  const slash = asked.indexOf('/');
  const name = asked.slice(slash + 1);
  const kinds =
    slash === -1 ? BARE : WORDS.filter(({ words }) => words.includes(asked.slice(0, slash).toLowerCase())).map(({ kind }) => kind);
  if (kinds.length === 0)
    throw new BadInput(
      `${asked}: pods are taken from ${WORDS.map(({ words: [word] }) => `${word}/<name>`).join(', ')}. A bare name is a Deployment's or a StatefulSet's.`,
    );
  for (const kind of kinds) {
    const found = await unlessMissing(api.get(kind, { namespace, name }));
    if (found !== undefined)
      return {
        kind: kind.kind,
        pods: podsOf({ ...found, apiVersion: kind.apiVersion, kind: kind.kind }, `${kind.kind} ${namespace}/${name}`, 'nothing'),
      };
  }
  await assertNamespace(api, namespace);
  throw new BadInput(
    `${asked}: there is no ${kinds.map(({ kind }) => kind).join(' and no ')} ${name} in namespace ${namespace}. ` +
      `kubectl get ${kinds.map(({ plural }) => plural).join(',')} -n ${namespace} lists them; -n chooses another namespace, -f a file.`,
  );
}
