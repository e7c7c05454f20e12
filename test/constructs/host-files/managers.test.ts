/** CPU, memory and topology managers: refused here rather than by a kubelet that does not start. */
import { describe, expect, test } from '@jest/globals';
import type { KubeletOptions, KubeletProfileProps } from '../../../constructs/kubelet-profile.ts';
import { cpusOf } from '../../../lib/api/cpu-list.ts';
import { anEc2Pool, aPool, configOf, GiB, problemsOf } from './a-pool.ts';

const with64 = (kubelet: KubeletOptions, reservedCpu = 2): KubeletProfileProps =>
  aPool({ kubelet, machine: { cpu: 64, memoryBytes: 256 * GiB, reserved: { cpu: reservedCpu, memoryBytes: 8 * GiB } } });

test('without options nothing is pinned', () => {
  expect(configOf(aPool(), 'managers')).toEqual({
    cpuManagerPolicy: 'none',
    memoryManagerPolicy: 'None',
    topologyManagerPolicy: 'none',
    topologyManagerScope: 'container',
  });
});

describe('a static CPU manager', () => {
  test('works with whole CPUs reserved', () => {
    const pool = with64({ cpuManagerPolicy: 'static', fullPcpusOnly: true, topologyManagerPolicy: 'single-numa-node' });
    expect(problemsOf(pool)).toEqual([]);
    expect(configOf(pool, 'managers')).toMatchObject({
      cpuManagerPolicy: 'static',
      cpuManagerPolicyOptions: { 'full-pcpus-only': 'true' },
    });
  });
  test.each([0, 1.5])('is refused with %p reserved', (cpu) => {
    expect(problemsOf(with64({ cpuManagerPolicy: 'static' }, cpu))).toEqual([
      `error pools.web.machine.reserved.cpu: the static CPU manager hands out whole CPUs, but ${cpu} are reserved`,
    ]);
  });
  test('is refused where the machine is not known', () => {
    expect(problemsOf(aPool({ machine: undefined, kubelet: { cpuManagerPolicy: 'static' } }))).toEqual([
      'error pools.web.kubelet.cpuManagerPolicy: the static CPU manager needs CPUs reserved, and the machine is not known',
    ]);
  });
  test('full cores without it are refused: the none policy takes no options', () => {
    expect(problemsOf(with64({ fullPcpusOnly: true }))).toEqual([
      'error pools.web.kubelet.fullPcpusOnly: fullPcpusOnly is an option of the static CPU manager',
    ]);
  });
});

describe('reservedSystemCPUs', () => {
  test('are as many as are reserved', () => {
    expect(problemsOf(with64({ cpuManagerPolicy: 'static', reservedSystemCPUs: '0,32' }))).toEqual([]);
    expect(problemsOf(with64({ reservedSystemCPUs: '0-3' }))).toEqual([
      'error pools.web.kubelet.reservedSystemCPUs: 4 CPUs are listed, 2 reserved by machine.reserved.cpu',
    ]);
  });
  test('set the default reservation', () => {
    const pool = aPool({ machine: { cpu: 64, memoryBytes: 256 * GiB }, kubelet: { reservedSystemCPUs: '0-3' } });
    expect(configOf(pool, 'reservations')).toMatchObject({ systemReserved: { cpu: '4' }, reservedSystemCPUs: '0-3' });
  });
  test('must be there', () => {
    expect(problemsOf(with64({ reservedSystemCPUs: '63-64' }))).toEqual([
      'error pools.web.kubelet.reservedSystemCPUs: CPU 64 is reserved of a machine with 64',
    ]);
  });
  test('are refused on EKS, whose nodes have a systemReservedCgroup', () => {
    const pool = anEc2Pool({ services: 'kube-proxy', join: { eks: 'cloud-a' }, kubelet: { reservedSystemCPUs: '0' } });
    expect(problemsOf(pool)).toEqual(['error pools.burst.kubelet.reservedSystemCPUs: reservedSystemCPUs on a node that joins EKS']);
  });
});

describe('a Static memory manager', () => {
  const reservedMemory = [
    { numaNode: 1, memoryBytes: 5 * GiB },
    { numaNode: 0, memoryBytes: 5 * GiB },
  ];
  test('works when the NUMA nodes keep reserved memory plus the hard threshold, to the byte', () => {
    // 8Gi reserved + 2Gi evictionHard.
    const pool = with64({ memoryManagerPolicy: 'Static', reservedMemory });
    expect(problemsOf(pool)).toEqual([]);
    expect(configOf(pool, 'managers').reservedMemory).toEqual([
      { numaNode: 0, limits: { memory: '5Gi' } },
      { numaNode: 1, limits: { memory: '5Gi' } },
    ]);
  });
  test('is refused one byte off', () => {
    const off = [{ numaNode: 0, memoryBytes: 10 * GiB + 1 }];
    expect(problemsOf(with64({ memoryManagerPolicy: 'Static', reservedMemory: off }))).toEqual([
      'error pools.web.kubelet.reservedMemory: reservedMemory adds up to 10737418241',
    ]);
  });
  test('is refused on a percentage, whose bytes only the host knows', () => {
    expect(problemsOf(with64({ memoryManagerPolicy: 'Static', reservedMemory, evictionHard: { 'memory.available': '1%' } }))).toEqual([
      'error pools.web.kubelet.reservedMemory: the Static memory manager needs the reservation to the byte, and evictionHard is 1%',
    ]);
  });
  test('one NUMA node twice is refused', () => {
    const twice = [
      { numaNode: 0, memoryBytes: 5 * GiB },
      { numaNode: 0, memoryBytes: 5 * GiB },
    ];
    expect(problemsOf(with64({ memoryManagerPolicy: 'Static', reservedMemory: twice }))).toEqual([
      'error pools.web.kubelet.reservedMemory: NUMA nodes are 0, 0',
    ]);
  });
  test('reservedMemory without it is only warned about', () => {
    expect(problemsOf(with64({ reservedMemory }))).toEqual([
      'warning pools.web.kubelet.reservedMemory: reservedMemory is read by the Static memory manager only',
    ]);
  });
});

test('a topology manager with nothing to align is warned about', () => {
  expect(problemsOf(with64({ topologyManagerPolicy: 'restricted' }))).toEqual([
    'warning pools.web.kubelet.topologyManagerPolicy: topology manager restricted has neither CPUs nor memory to align',
  ]);
});

describe('CPU lists', () => {
  test.each([
    ['0', [0]],
    ['32-33,0-1', [0, 1, 32, 33]],
  ])('%s', (list, cpus) => expect(cpusOf(list)).toEqual(cpus));
  test.each(['', '1-0', '0,0', '0-', 'a', '0 1', '-1'])('%j is none', (list) => expect(cpusOf(list)).toBeUndefined());
});
