/**
 * What is not known at synth, or must never stand in a manifest: user data carries a placeholder, and whoever launches
 * the instance (`gala cloud`) puts the value in, one launch at a time.
 */

export const LAUNCH_VALUES = {
  /** The cluster's CA bundle, PEM in base64: EKS' `certificateAuthority.data`, else the ConfigMap kube-root-ca.crt. */
  certificateAuthority: '__GALA_CERTIFICATE_AUTHORITY__',
  /** EKS' `kubernetesNetworkConfig.serviceIpv4Cidr`: nodeadm refuses to start without it. */
  serviceCidr: '__GALA_SERVICE_CIDR__',
  /** A bootstrap token made for this launch and deleted at join. */
  bootstrapToken: '__GALA_BOOTSTRAP_TOKEN__',
} as const;
/** Says so in the user data, without naming a placeholder: that would be filled in too. */
export const LAUNCH_COMMENT = '# Values between double underscores are filled in at launch.';
export type LaunchValue = keyof typeof LAUNCH_VALUES;

/** EC2's limit, before base64. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
export const MAX_USER_DATA_BYTES = 16 * 1024;

/** Longest value that synth leaves room for: two CA certificates of 1.1 KiB, the widest CIDR, `abcdef.0123456789abcdef`. */
const ROOM_BYTES: Readonly<Record<LaunchValue, number>> = { certificateAuthority: 3072, serviceCidr: 43, bootstrapToken: 23 };

/** Bytes of the user data once its placeholders are filled in, at most. */
export function launchedBytes(template: string): number {
  return neededValues(template).reduce(
    (bytes, value) => bytes + count(template, value) * (ROOM_BYTES[value] - LAUNCH_VALUES[value].length),
    Buffer.byteLength(template),
  );
}

/** The values a template asks for. */
export function neededValues(template: string): readonly LaunchValue[] {
  return (Object.keys(LAUNCH_VALUES) as LaunchValue[]).filter((value) => template.includes(LAUNCH_VALUES[value]));
}

/**
 * The user data of one launch.
 * @throws {Error} when a value is missing, could break out of its place (line break, quote, blank), or the whole is too long for EC2
 */
export function fillUserData(template: string, values: Readonly<Partial<Record<LaunchValue, string>>>): string {
  let text = template;
  for (const name of neededValues(template)) {
    const value = values[name];
    if (value === undefined || !/^[A-Za-z0-9+/=.:]+$/.test(value))
      throw new Error(`user data needs ${name}: letters, digits and + / = . : only`);
    text = text.replaceAll(LAUNCH_VALUES[name], () => value);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_USER_DATA_BYTES) throw new Error(`user data is ${bytes} bytes; EC2 takes ${MAX_USER_DATA_BYTES}`);
  return text;
}

const count = (template: string, value: LaunchValue) => template.split(LAUNCH_VALUES[value]).length - 1;
