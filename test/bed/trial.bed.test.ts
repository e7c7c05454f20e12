import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import slice from '../../clusters/slices/scheduling.ts';
import { rendered } from '../../constructs/testing.ts';
import { aClient } from './client.ts';
import { describeBed } from './describe-bed.ts';
import { command, find, type PartName, partsOf } from './parts.ts';
import { alive } from './records.ts';
import { bed, ended, environment } from './samples/a-run.ts';
import { processesIn } from './samples/processes.ts';
import type { Trial } from './trial.ts';

describeBed('a local trial', ['control-plane', 'kwok'], () => {
  // A cache of its own: a person's trial on this machine goes on undisturbed. The parts are this machine's.
  const folder = mkdtempSync(join(tmpdir(), 'gala-trial-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const part of partsOf(['control-plane', 'kwok'])) borrow(part, bin);
  const env = environment({ XDG_CACHE_HOME: join(folder, 'cache'), GALA_BED_BIN: bin });

  afterAll(async () => {
    await bed(['down'], env);
    rmSync(folder, { recursive: true, force: true });
  });

  test('comes up with its hosts Ready, plays their pods, says no to a second one, and goes without a trace', async () => {
    const up = await bed(['up', '--hosts', '50'], env);
    expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining('50 hosts are Ready') });
    const kubeconfig = /export KUBECONFIG=(.*)/.exec(up.stdout)?.[1] ?? '';
    const trial: Trial = JSON.parse(readFileSync(join(kubeconfig, '..', 'trial.json'), 'utf8'));
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
    const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
    const client = aClient(trial.url, ca, users[0].user.token);

    const nodes = (await client.request('GET', '/api/v1/nodes')).body.items;
    expect(nodes).toHaveLength(50);
    expect(nodes.at(-1)).toMatchObject({
      metadata: { name: 'trial-r02-10', labels: { 'gala.internal/rack': 'r02' } },
      status: { allocatable: { cpu: '62', memory: '248Gi' } },
    });
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'main', image: 'registry.example/main:1' }] },
    };
    await client.apply([pod]);
    const phase = async () => (await client.request('GET', '/api/v1/namespaces/default/pods/a')).body.status.phase;
    for (let tries = 0; tries < 1200 && (await phase()) !== 'Running'; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await phase()).toBe('Running');

    await client.apply(rendered(slice).objects);
    const scheduler = '/apis/apps/v1/namespaces/gala-system/deployments/gala-scheduler';
    const available = async () => (await client.request('GET', scheduler)).body.status?.availableReplicas;
    for (let tries = 0; tries < 1200 && (await available()) !== 2; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await available()).toBe(2);
    expect(up.stdout).toContain("kwok plays all pods here, those of Gala's programs too");
    client.close();

    expect(await bed(['up'], env)).toMatchObject({ code: 4, stderr: expect.stringMatching(/50 hosts is up already.*npm run bed -- down/) });

    expect(await bed(['down'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('ended') });
    expect(alive(trial.supervisor)).toBe(false);
    expect(existsSync(kubeconfig)).toBe(false);
    expect(await bed(['down'], env)).toMatchObject({ code: 0, stdout: 'No trial was up.\n' });
  });
});

describeBed('a local trial with nodes', ['control-plane', 'nodes', 'containernetworking-plugins'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'gala-trial-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const part of partsOf(['control-plane', 'nodes'])) if (find(part)?.from !== 'this machine') borrow(part, bin);
  const env = environment({ XDG_CACHE_HOME: join(folder, 'cache'), GALA_BED_BIN: bin });

  afterAll(async () => {
    await bed(['down'], env);
    rmSync(folder, { recursive: true, force: true });
  });

  test('runs what its first lines say to type, as containers of the pool, and goes without a trace', async () => {
    const up = await bed(['up', '--nodes', '1', '--pool', 'web'], env, 110);
    expect(up).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Up: \S+, 1 node of pool web\.$/m) });
    expect(processesIn(folder).length).toBeGreaterThan(0);
    const lines = up.stdout.split('\n').filter((line) => line.startsWith('    '));
    const wait = 'kubectl rollout status deployment web --timeout=100s\nkubectl get nodes -o wide -l gala.internal/pool=web';
    const script = `shopt -s expand_aliases\n${lines.join('\n')}\n${wait}\n`;
    const typed = await ended(spawn('bash', ['-c', script], { env }));
    expect(typed.stdout).toMatch('deployment "web" successfully rolled out');
    expect(typed.stdout).toMatch(/^node-1 +Ready .* containerd:\/\/2\./m);
    expect(await bed(['down'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('ended') });
    expect(processesIn(folder)).toEqual([]);
  }, 300_000);
});

/** Puts a link to this machine's part in `bin`: the program that carries several is told by the link which one to be. */
function borrow(part: PartName, bin: string): void {
  symlinkSync(command(part)[0], join(bin, part));
}
