/** Who wants to know what happens on instances, and their being told. */
import type { Happened } from './time.ts';
import type { Attachment, Eni } from './world.ts';

/** An ENI of an instance. */
export interface InstanceEni {
  readonly id: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
}

export interface StateChange {
  readonly instanceId: string;
  readonly state: string;
}

/** Awaited: time goes on when it has resolved. */
export type Hook<T> = (event: T) => unknown;

export const instanceEni = ({ id, mac, addresses }: Eni, { instanceId, deviceIndex, networkCardIndex }: Attachment): InstanceEni => ({
  ...{ id, mac, addresses, instanceId, deviceIndex, networkCardIndex },
});

export function hooks() {
  const attach = new Set<Hook<InstanceEni>>();
  const detach = new Set<Hook<InstanceEni>>();
  const state = new Set<Hook<StateChange>>();
  const into =
    <T>(hooked: Set<Hook<T>>) =>
    (hook: Hook<T>): (() => void) => {
      hooked.add(hook);
      return () => void hooked.delete(hook);
    };
  return {
    ...{ onAttach: into(attach), onDetach: into(detach), onState: into(state) },
    tell: async (each: Happened): Promise<void> => {
      if (each.what === 'state') {
        for (const hook of state) await hook({ instanceId: each.instance.id, state: each.instance.state });
        return;
      }
      for (const hook of each.what === 'attached' ? attach : detach) await hook(instanceEni(each.eni, each.eni.attachment));
    },
  };
}
