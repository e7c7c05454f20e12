/** DescribeInstanceTypes, from the table that synth checks by (lib/api/instance-types.ts). Pure. */
import type { InstanceType } from '../../../lib/api/instance-types.ts';
import { type Element, element, set } from './xml.ts';

/** InstanceTypeInfo of the API reference, as far as the table goes. */
export const typeItem = (type: InstanceType): Element =>
  element('item', [
    element('instanceType', type.name),
    element('currentGeneration', true),
    element('hypervisor', 'nitro'),
    element('processorInfo', [element('supportedArchitectures', [element('item', type.architecture)])]),
    element('vCpuInfo', [element('defaultVCpus', type.vcpus)]),
    element('memoryInfo', [element('sizeInMiB', type.memoryMiB)]),
    element('ebsInfo', [element('maximumEbsAttachments', type.ebsVolumes), element('attachmentLimitType', type.attachments)]),
    element('networkInfo', [
      element('maximumNetworkInterfaces', type.networkInterfaces),
      element('maximumNetworkCards', type.networkCards.length),
      element('defaultNetworkCardIndex', 0),
      element('ipv4AddressesPerInterface', type.ipv4PerInterface),
      element('ipv6AddressesPerInterface', type.ipv4PerInterface),
      element('ipv6Supported', true),
      set(
        'networkCards',
        type.networkCards.map((card) => [
          element('networkCardIndex', card.networkCardIndex),
          element('maximumNetworkInterfaces', card.networkInterfaces),
          element('baselineBandwidthInGbps', type.baselineGbps),
          element('peakBandwidthInGbps', card.peakGbps),
        ]),
      ),
    ]),
  ]);
