/** Approves certificate requests of kubelets on instances that Gala launched, by what EC2 shows of them; all others are left alone. */
import type { Api } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { type Controller, controller } from '../kube/controller.ts';
import { isConflict, unlessMissing } from '../kube/error.ts';
import { CERTIFICATESIGNINGREQUESTS, type Kind } from '../kube/kinds.ts';
import { type Log, reasonOf } from '../kube/log.ts';
import { reflect } from '../kube/reflector.ts';
import { type Asker, CLIENT_SIGNER, SERVING_SIGNER, type Verdict, verdictOf } from './csr.ts';

type Request = typeof CERTIFICATESIGNINGREQUESTS extends Kind<infer T> ? T : never;

export interface ApproverOptions {
  readonly api: Api;
  /** By id; of the last look, and looked for soon where it is not there. */
  readonly instance: (id: string) => Asker | undefined;
  readonly mayWrite: () => boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A launched instance is shown within seconds. */
const AGAIN_MS = 5_000;
/** A kubelet asks anew after a quarter of an hour (client-go, certificate manager, certificateWaitTimeout). */
const GIVEN_UP = 180;

export function approveCsrs({ api, instance, mayWrite, dryRun, signal, log, clock }: ApproverOptions): Controller {
  const waits = new Map<string, number>();
  const open = reflect(api, CERTIFICATESIGNINGREQUESTS, {
    ...{ signal, log },
    // Most are done, and hold their certificates.
    keep: ({ metadata, spec, status }: Request) => ({
      ...{ name: metadata.name, uid: metadata.uid, spec },
      decided: (status?.conditions?.length ?? 0) > 0 || status?.certificate !== undefined,
    }),
  });

  async function judged({ signerName: signer, username = '', groups = [], usages = [], request }: Request['spec']): Promise<Verdict> {
    const { readRequest } = await import('./csr-read.ts');
    let read: ReturnType<typeof readRequest>;
    try {
      read = readRequest(Buffer.from(String(request), 'base64').toString());
    } catch (error) {
      return { do: 'leave', because: reasonOf(error) };
    }
    return verdictOf({ signer, username, groups, usages, ...read }, instance);
  }

  async function approve(name: string, uid: string, because: string): Promise<void> {
    const now = await unlessMissing(api.get(CERTIFICATESIGNINGREQUESTS, { name }));
    // Another request under that name was not judged.
    if (now === undefined || now.metadata.uid !== uid || (now.status?.conditions?.length ?? 0) > 0) return;
    const at = new Date().toISOString();
    const condition = { type: 'Approved', status: 'True', reason: 'InstanceOfGala', message: because, lastUpdateTime: at };
    await api.request({
      ...{ method: 'PUT', path: `/apis/certificates.k8s.io/v1/certificatesigningrequests/${encodeURIComponent(name)}/approval` },
      body: { ...now, status: { ...now.status, conditions: [condition] } },
      ...{ kind: 'certificatesigningrequests/approval', verb: 'update' },
    });
  }

  return controller({
    name: 'csrs',
    for: open,
    reconcile: async (name) => {
      const csr = open.get(name);
      const isKubelets = csr?.spec.signerName === CLIENT_SIGNER || csr?.spec.signerName === SERVING_SIGNER;
      if (csr === undefined || csr.decided || !isKubelets) return void waits.delete(name);
      const verdict = await judged(csr.spec);
      const about = { csr: name, because: verdict.because };
      if (verdict.do === 'leave') {
        log.info('certificate request left alone', about);
        return void waits.delete(name);
      }
      if (verdict.do === 'wait') {
        const times = (waits.get(name) ?? 0) + 1;
        waits.set(name, times);
        return times < GIVEN_UP ? { againInMs: AGAIN_MS } : undefined;
      }
      waits.delete(name);
      if (dryRun || !mayWrite()) return void log.info('certificate request that would be approved', about);
      try {
        await approve(name, csr.uid, verdict.because);
        log.info('certificate request approved', about);
      } catch (error) {
        if (!isConflict(error)) throw error;
        return { againInMs: AGAIN_MS };
      }
      return undefined;
    },
    ...{ signal, log, clock },
  });
}
