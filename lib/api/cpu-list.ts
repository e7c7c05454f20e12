/** CPU lists as the kernel and the kubelet write them: `0-1,32-33`. */

/**
 * The CPUs of a list, in ascending order.
 * @returns undefined when the text is no list, or names a CPU twice
 * @example cpusOf('0-1,32-33') // [0, 1, 32, 33]
 */
export function cpusOf(list: string): readonly number[] | undefined {
  if (!/^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$/.test(list)) return undefined;
  const cpus: number[] = [];
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    if (last < first) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return new Set(cpus).size === cpus.length ? cpus.sort((a, b) => a - b) : undefined;
}
