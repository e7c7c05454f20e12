/** An address as it is typed. Pure. */

const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Whether it is IPv4, dotted. */
export const isAddress = (text: string): boolean => IPV4.test(text);
