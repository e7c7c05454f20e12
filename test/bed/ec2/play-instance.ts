/**
 * A node plays an EC2 instance: what EC2 attaches to the instance is plugged into the node as a NIC with the ENI's MAC, and what it
 * detaches is pulled out. The node's own NIC stands for the primary ENI.
 */
import type { BedNode } from '../node.ts';
import type { Ec2 } from './ec2.ts';
import type { InstanceEni } from './hooks.ts';

export interface Playing {
  /** The ENIs whose NICs are in the node. */
  plugged(): InstanceEni[];
  /** After the node has booted again: a NIC that was plugged in while it ran is not there at its next start, an ENI is. */
  replug(): Promise<void>;
  /** From now on EC2 and the node have nothing to do with each other; the NICs stay. */
  end(): void;
}

/**
 * Plugs in what the instance has, and from then on follows it; `ec2.clock.advance` resolves when the NICs are there, or gone.
 * @example const playing = await playInstance(ec2, node, instanceId)
 */
export async function playInstance(
  ec2: Pick<Ec2, 'attached' | 'onAttach' | 'onDetach'>,
  node: Pick<BedNode, 'plugNic' | 'unplugNic' | 'running'>,
  instanceId: string,
): Promise<Playing> {
  const plugged = new Map<string, InstanceEni>();
  const plug = async (eni: InstanceEni) => {
    if (eni.instanceId !== instanceId || (eni.deviceIndex === 0 && eni.networkCardIndex === 0) || plugged.has(eni.id)) return;
    plugged.set(eni.id, eni);
    await node.plugNic({ mac: eni.mac });
  };
  const unplug = async (eni: InstanceEni) => {
    // One that went before it was attached never was there, and a node that is off has nothing plugged in.
    if (eni.instanceId !== instanceId || !plugged.delete(eni.id) || !node.running()) return;
    await node.unplugNic({ mac: eni.mac });
  };
  const stops = [ec2.onAttach(plug), ec2.onDetach(unplug)];
  const plugAll = async () => {
    for (const eni of ec2.attached(instanceId)) await plug(eni);
  };
  await plugAll();
  return {
    plugged: () => [...plugged.values()],
    replug: async () => {
      plugged.clear();
      await plugAll();
    },
    end: () => {
      for (const stop of stops) stop();
    },
  };
}
