/** Configuration files of the kubelet and the scheduler, decoded strictly by the types of the minor that will read them. */
import { spawn } from 'node:child_process';
import { command, type PartName } from './parts.ts';

export type Minor = '1.35' | '1.36' | '1.37';

/**
 * Everything in `yaml` that a kubelet or scheduler of that minor would drop in silence or refuse; none when all is well.
 * @param yaml KubeletConfiguration and KubeSchedulerConfiguration documents, as many as there are
 * @example await strictlyDecode('1.35', 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPod: 9\n') // ['unknown field "maxPod"']
 */
export async function strictlyDecode(minor: Minor, yaml: string): Promise<string[]> {
  const [program] = command(`kubelet-types-${minor}` satisfies PartName);
  return await new Promise((resolve, reject) => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 30_000, killSignal: 'SIGKILL' });
    let printed = '';
    let complaint = '';
    child.stdout.on('data', (data) => {
      printed += data;
    });
    child.stderr.on('data', (data) => {
      complaint += data;
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(printed)) : reject(new Error(`${program}: ${complaint.trim()}`))));
    child.stdin.end(yaml);
  });
}
