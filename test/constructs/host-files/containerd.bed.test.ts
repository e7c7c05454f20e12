/** containerd reads the file that Gala renders, beside a site's own configuration, and the play's question finds out where it does not. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { containerdCheck } from '../../../constructs/host-files/containerd.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { command } from '../../bed/parts.ts';
import { aPool, textOf } from './a-pool.ts';

const RUNC = "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n  SystemdCgroup = true\n";
const DEBIAN = "[plugins.'io.containerd.cri.v1.runtime'.cni]\n  bin_dirs = ['/usr/lib/cni']\n  max_conf_num = 3\n";

describeBed('containerd', ['containerd'], () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gala-containerd-'));
    mkdirSync(join(folder, 'conf.d'));
    writeFileSync(
      join(folder, 'conf.d/40-gala-network.toml'),
      textOf(aPool({ wiredBy: 'gala' }), 'etc/containerd/conf.d/40-gala-network.toml'),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What a shell says with a containerd that has this main file. */
  function told(script: string, main: string) {
    writeFileSync(join(folder, 'config.toml'), main);
    const containerd = [...command('containerd'), '--config', join(folder, 'config.toml')].join(' ');
    return spawnSync('/bin/sh', ['-c', `containerd() { ${containerd} "$@" 2>/dev/null; }; ${script}`], { encoding: 'utf8' });
  }
  const imports = () => `imports = ['${folder}/conf.d/*.toml']\n`;

  test("Gala's folders win over those of the main file, and nothing else of it changes", () => {
    const { stdout } = told('containerd config dump', `version = 3\n${imports()}${DEBIAN}${RUNC}`);
    expect(stdout).toMatch(/bin_dirs = \['\/opt\/cni\/bin'\]\n\s+conf_dir = '\/etc\/cni\/net\.d'\n\s+max_conf_num = 1\n/);
    expect(stdout).toContain('SystemdCgroup = true');
  });

  test('the play goes on where it is read, and where the main file says the same by itself', () => {
    expect(told(containerdCheck(), `version = 3\n${imports()}${DEBIAN}`).status).toBe(0);
    expect(told(containerdCheck(), `version = 3\n${RUNC}`).status).toBe(0);
  });

  test('the play stops where it is not read and the folders are others, and where containerd would not start', () => {
    expect(told(containerdCheck(), `version = 3\n${DEBIAN}`).status).not.toBe(0);
    expect(told(containerdCheck(), `version = 3\n${imports()}]`).status).not.toBe(0);
  });
});
