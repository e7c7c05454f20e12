/**
 * CSR: whether a kubelet's certificate request is that of an instance of ours. Pure. What is not is left alone, for whoever else approves:
 * a person, or another program.
 *
 * Who may ask for which names is more than Kubernetes' own approver looks at: that approves any node name for any bootstrap token
 * (kubernetes/pkg/controller/certificates/approver/sarapprove.go), and serving certificates not at all.
 */
import { BOOTSTRAP_GROUP } from '../api/cloud.ts';

export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
export const SERVING_SIGNER = 'kubernetes.io/kubelet-serving';

/** A request as the API server has it, and what its PKCS#10 says. */
export interface Asked {
  readonly signer: string;
  readonly username: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  readonly subject: { readonly commonName: string; readonly organizations: readonly string[]; readonly others: boolean };
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** E-mail addresses, URIs and the like. */
  readonly otherNames: boolean;
}

/** An instance by which a request is judged. */
export interface Asker {
  readonly state: string;
  /** Launched by Gala for a pool that joins by bootstrap tokens. */
  readonly launched: boolean;
  /** The id of its launch's bootstrap token. */
  readonly tokenId: string | undefined;
  readonly addresses: readonly string[];
  readonly dnsNames: readonly string[];
}

export type Verdict =
  | { readonly do: 'approve'; readonly because: string }
  /** May be known in a moment: EC2 shows an instance seconds after it was launched. */
  | { readonly do: 'wait'; readonly because: string }
  | { readonly do: 'leave'; readonly because: string };

/** Kubelets ask for these; key encipherment only with RSA keys (docs, certificate-signing-requests, "Kubernetes signers"). */
const USAGES: Readonly<Record<string, readonly string[]>> = {
  [CLIENT_SIGNER]: ['client auth', 'digital signature', 'key encipherment'],
  [SERVING_SIGNER]: ['digital signature', 'key encipherment', 'server auth'],
};
const NEEDED: Readonly<Record<string, string>> = { [CLIENT_SIGNER]: 'client auth', [SERVING_SIGNER]: 'server auth' };

/** @param instance of the node's name, which is the instance's id; undefined: EC2 shows none */
export function verdictOf(asked: Asked, instance: (id: string) => Asker | undefined): Verdict {
  const { signer, username, groups, subject } = asked;
  const allowed = USAGES[signer];
  const needed = NEEDED[signer];
  if (allowed === undefined || needed === undefined) return leave(`signer ${signer} is none of a kubelet`);
  const node = /^system:node:(i-[0-9a-f]+)$/.exec(subject.commonName)?.[1];
  if (node === undefined) return leave(`${subject.commonName} is not named after an instance`);
  if (subject.others || subject.organizations.length !== 1 || subject.organizations[0] !== 'system:nodes')
    return leave(`the subject of ${node} is more than system:nodes`);
  if (!asked.usages.includes(needed) || asked.usages.some((usage) => !allowed.includes(usage)))
    return leave(`${node} asks for ${asked.usages.join(', ')}; a kubelet asks for ${allowed.join(', ')}`);
  if (asked.otherNames) return leave(`${node} asks for names that are neither DNS nor IP`);
  const byToken = /^system:bootstrap:([a-z0-9]{6})$/.exec(username)?.[1];
  const itself = username === `system:node:${node}` && groups.includes('system:nodes');
  if (!itself && !(signer === CLIENT_SIGNER && byToken !== undefined && groups.includes(BOOTSTRAP_GROUP)))
    return leave(`${username} is neither node ${node} nor one of Gala's launches`);

  const its = instance(node);
  if (its === undefined) return { do: 'wait', because: `EC2 shows no instance ${node}` };
  if (!its.launched) return leave(`${node} was not launched by Gala with a bootstrap token`);
  if (its.state !== 'running' && its.state !== 'pending') return leave(`${node} is ${its.state}`);
  if (signer === CLIENT_SIGNER) {
    if (asked.dnsNames.length + asked.ipAddresses.length > 0) return leave(`${node} asks for names in a client certificate`);
    if (itself) return { do: 'approve', because: `node ${node} renews its own` };
    if (its.tokenId === undefined) return { do: 'wait', because: 'the key of bootstrap tokens was not read yet' };
    if (its.tokenId !== byToken) return leave(`the token ${byToken} is not that of the launch of ${node}`);
    return { do: 'approve', because: `by the token of the launch of ${node}` };
  }
  // The kubelet names what its Node has: host name and addresses.
  const names = new Set([node, ...its.dnsNames]);
  const strange = [...asked.dnsNames.filter((name) => !names.has(name)), ...asked.ipAddresses.filter((ip) => !its.addresses.includes(ip))];
  if (strange.length > 0) return leave(`${strange.join(', ')} ${strange.length === 1 ? 'is' : 'are'} not of ${node}`);
  if (asked.dnsNames.length + asked.ipAddresses.length === 0) return leave(`${node} asks for no name`);
  return { do: 'approve', because: `names and addresses are those that EC2 shows of ${node}` };
}

const leave = (because: string): Verdict => ({ do: 'leave', because });
