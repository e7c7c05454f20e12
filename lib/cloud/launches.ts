/**
 * Launches: what must be there before an instance is launched, made where it is not: the launch template, the user data with what synth
 * left open, and where the pool joins by them a bootstrap token. A token is good for an hour; it is deleted when its instance has joined.
 */
import { randomBytes } from 'node:crypto';
import { BOOTSTRAP_GROUP, LAUNCH_KEY_SECRET, USER_DATA_CONFIGMAP } from '../api/cloud.ts';
import { fillUserData, neededValues } from '../api/launch-values.ts';
import type { Api } from '../kube/client.ts';
import { isAlreadyExists, unlessMissing } from '../kube/error.ts';
import { CONFIGMAPS, SECRETS, SERVICECIDRS } from '../kube/kinds.ts';
import type { Ec2Spec } from './capacity.ts';
import { type Fleet, templateOf } from './fleet.ts';
import { TOKEN_MS } from './instance-plan.ts';
import type { Prepared } from './instance-round.ts';
import { type BootstrapToken, bootstrapToken, type Launch, POOL_TAG, templateName } from './launch.ts';
import { CLUSTER_TAG, CLUSTER_UID_TAG, type ClusterTags } from './tags.ts';

export interface Launches {
  prepare(ec2: Fleet, launch: Launch, spec: Ec2Spec): Promise<Prepared>;
  deleteToken(launch: Launch): Promise<void>;
  /** Something that a launch needs may not be there any more: it is looked for before the next one. */
  forget(pool: string): void;
  /** The id of the token that a launch has, once this process has the key. */
  tokenIdOf(launch: Launch): string | undefined;
}

export interface LaunchesOptions {
  readonly api: Api;
  readonly tags: ClusterTags;
  /** Where ConfigMap and key are. */
  readonly namespace: string;
  readonly wallMs?: () => number;
}

/** Where Kubernetes looks for tokens (kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens). */
const TOKEN_NAMESPACE = 'kube-system';
const KEY = 'key';
const KEY_BYTES = 32;
const secretOf = ({ id }: BootstrapToken) => ({ namespace: TOKEN_NAMESPACE, name: `bootstrap-token-${id}` });

export function launches({ api, tags, namespace, wallMs = Date.now }: LaunchesOptions): Launches {
  const templates = new Map<string, string>();
  let key: Uint8Array | undefined;

  /** @returns undefined: there is none */
  async function readKey(): Promise<Uint8Array | undefined> {
    const found = await unlessMissing(api.get(SECRETS, { namespace, name: LAUNCH_KEY_SECRET }));
    if (found === undefined) return undefined;
    const said = Buffer.from(found.data?.[KEY] ?? '', 'base64');
    if (said.length < KEY_BYTES)
      throw new Error(
        `Secret ${namespace}/${LAUNCH_KEY_SECRET} has ${said.length} bytes in data.${KEY}; ${KEY_BYTES} are needed. Delete it: it is made anew.`,
      );
    key = said;
    return key;
  }

  async function keyOf(): Promise<Uint8Array> {
    const there = key ?? (await readKey());
    if (there !== undefined) return there;
    const made = { [KEY]: randomBytes(KEY_BYTES).toString('base64') };
    await api.create(SECRETS, { metadata: { namespace, name: LAUNCH_KEY_SECRET }, data: made }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    // What is stored counts, whoever made it.
    const stored = await readKey();
    if (stored === undefined) throw new Error(`Secret ${namespace}/${LAUNCH_KEY_SECRET} was made and is gone`);
    return stored;
  }

  async function keepToken(launch: Launch): Promise<string> {
    const token = bootstrapToken(await keyOf(), tags.clusterUid, launch);
    const make = () =>
      api.create(SECRETS, {
        metadata: secretOf(token),
        type: 'bootstrap.kubernetes.io/token',
        stringData: {
          'token-id': token.id,
          'token-secret': token.secret,
          'usage-bootstrap-authentication': 'true',
          'auth-extra-groups': BOOTSTRAP_GROUP,
          expiration: new Date(wallMs() + TOKEN_MS).toISOString(),
          description: `gala cloud: pool ${launch.pool}, launch ${launch.place}-${launch.generation}`,
        },
      });
    try {
      await make();
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Made for this very launch before, perhaps long ago: one that found no capacity is asked for again for as long as there is none. It
      // may not be read, nor be changed, so it is made anew, for an hour from now.
      await unlessMissing(api.delete(SECRETS, secretOf(token)));
      await make();
    }
    return `${token.id}.${token.secret}`;
  }

  async function certificateAuthority(): Promise<string> {
    // Every namespace has it (kube-controller-manager, root-ca-certificate-publisher).
    const { data } = await api.get(CONFIGMAPS, { namespace: TOKEN_NAMESPACE, name: 'kube-root-ca.crt' });
    return Buffer.from(data?.['ca.crt'] ?? '').toString('base64');
  }

  async function serviceCidr(): Promise<string> {
    const { spec } = await api.get(SERVICECIDRS, { name: 'kubernetes' });
    return spec?.cidrs?.[0] ?? '';
  }

  return {
    async prepare(ec2, launch, spec) {
      const { pool } = launch;
      const content = templateOf(spec);
      const name = templateName(tags.cluster, pool, [tags.clusterUid, content]);
      if (templates.get(pool) !== name) {
        const its = { [CLUSTER_TAG]: tags.cluster, [CLUSTER_UID_TAG]: tags.clusterUid, [POOL_TAG]: pool };
        await ec2.keepTemplate({ ...content, name, tags: its });
        templates.set(pool, name);
      }
      const { data } = await api.get(CONFIGMAPS, { namespace, name: USER_DATA_CONFIGMAP });
      const text = data?.[pool];
      if (text === undefined)
        throw new Error(
          `ConfigMap ${namespace}/${USER_DATA_CONFIGMAP} has no user data for pool ${pool}. Apply what synth renders for it.`,
        );
      const needs = neededValues(text);
      const userData = fillUserData(text, {
        ...(needs.includes('certificateAuthority') ? { certificateAuthority: await certificateAuthority() } : {}),
        ...(needs.includes('serviceCidr') ? { serviceCidr: await serviceCidr() } : {}),
        ...(needs.includes('bootstrapToken') ? { bootstrapToken: await keepToken(launch) } : {}),
      });
      return { template: name, userData };
    },
    async deleteToken(launch) {
      await unlessMissing(api.delete(SECRETS, secretOf(bootstrapToken(await keyOf(), tags.clusterUid, launch))));
    },
    forget: (pool) => void templates.delete(pool),
    tokenIdOf: (launch) => {
      if (key !== undefined) return bootstrapToken(key, tags.clusterUid, launch).id;
      // Another process made it; who asks, asks again soon.
      readKey().catch(() => {});
      return undefined;
    },
  };
}
