/** A generated fleet: definitions of the size of a real cluster (40 hosts, 4 racks, 3 VLANs), none sharing anything. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from '../child.ts';

/**
 * Writes one definition file a cluster.
 * @param count at most 60: each takes four networks of 10.0.0.0/8
 * @param objects how many each cluster has in the end, see filler.ts
 */
export async function writeDefinitions(folder: string, count: number, objects: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index++) await writeFile(join(folder, `${nameOf(index)}.ts`), text(index, objects));
}

const nameOf = (index: number): string => `gen-${String(index).padStart(2, '0')}`;

function text(index: number, objects: number): string {
  const name = nameOf(index);
  const vlans = [110, 120, 130].map((id, i) => {
    const net = `10.${index * 4 + i}`;
    return `      ${id}: { subnet: '${net}.0.0/22', gateway: '${net}.0.1', addresses: '${net}.1.0-${net}.2.223' },`;
  });
  const racks = ['r12', 'r13', 'r14', 'r15'].map((rack) => `${rack}: '${name}-${rack}-[01-10]'`);
  return `import { defineCluster, intranet } from '${pathToFileURL(join(REPOSITORY, 'constructs/index.ts')).href}';

export default defineCluster({
  name: '${name}',
  kubernetes: '1.37',
  apiServer: 'https://10.${index * 4 + 3}.0.10:6443',
  registry: 'harbor.bj.intra/gala',
  pools: { web: intranet({
    datacenter: '${name}',
    racks: { ${racks.join(', ')} },
    trunk: 'bond0',
    vlans: {
${vlans.join('\n')}
    },
    macsPerPort: 64,
    machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', swap: '64Gi', reserved: { cpu: 2, memory: '8Gi' } },
    volumes: { log: { path: '/data1', size: '2Ti', overcommit: 1.3 } },
  }) },
  filler: { objects: ${objects} },
});
`;
}
