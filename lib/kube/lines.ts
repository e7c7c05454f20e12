/** Lines of a stream of bytes: cut at each newline, whatever the chunks; a character may lie in two of them. Pure. */

/** No object is larger than etcd takes (1.5 MiB by default); JSON makes of a byte 6 at most (`\u001f`). */
export const LONGEST_LINE = 32 * 2 ** 20;

/**
 * @param onLine told of each whole line, without its newline
 * @returns what to feed the chunks to; throws when a line gets too long, and what `onLine` throws
 */
export function lines(onLine: (line: string) => void, longest = LONGEST_LINE): (chunk: Buffer) => void {
  let held: Buffer[] = [];
  let bytes = 0;
  return (chunk) => {
    let from = 0;
    for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
      const part = chunk.subarray(from, to);
      from = to + 1;
      const line = bytes === 0 ? part : Buffer.concat([...held, part]);
      held = [];
      bytes = 0;
      onLine(line.toString('utf8'));
    }
    if (from === chunk.length) return;
    held.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > longest) throw new RangeError(`a line of more than ${longest} bytes: that is no Kubernetes object`);
  };
}
