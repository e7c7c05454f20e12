// Made from lib/api by `npm run imports`; changes here are lost. (cdk8s import, then tsc)
import { ApiObject, ApiObjectMetadata, GroupVersionKind } from 'cdk8s';
import { Construct } from 'constructs';
/**
 * Machines of one shape: racked hosts behind VLAN trunks, or EC2 instances with extra ENIs.
 *
 * @schema HostPool
 */
export declare class HostPool extends ApiObject {
    /**
     * Returns the apiVersion and kind for "HostPool"
     */
    static readonly GVK: GroupVersionKind;
    /**
     * Renders a Kubernetes manifest for "HostPool".
     *
     * This can be used to inline resource manifests inside other objects (e.g. as templates).
     *
     * @param props initialization props
     */
    static manifest(props: HostPoolProps): any;
    /**
     * Defines a "HostPool" API object
     * @param scope the scope in which to define this object
     * @param id a scope-local name for the object
     * @param props initialization props
     */
    constructor(scope: Construct, id: string, props: HostPoolProps);
    /**
     * Renders the object to Kubernetes JSON.
     */
    toJson(): any;
}
/**
 * Machines of one shape: racked hosts behind VLAN trunks, or EC2 instances with extra ENIs.
 *
 * @schema HostPool
 */
export interface HostPoolProps {
    /**
     * @schema HostPool#metadata
     */
    readonly metadata?: ApiObjectMetadata;
    /**
     * What the pool is made of.
     *
     * @schema HostPool#spec
     */
    readonly spec: HostPoolSpec;
}
/**
 * Converts an object of type 'HostPoolProps' to JSON representation.
 */
export declare function toJson_HostPoolProps(obj: HostPoolProps | undefined): Record<string, any> | undefined;
/**
 * What the pool is made of.
 *
 * @schema HostPoolSpec
 */
export interface HostPoolSpec {
    /**
     * Which of the two blocks describes the pool.
     *
     * @schema HostPoolSpec#shape
     */
    readonly shape: HostPoolSpecShape;
    /**
     * Racked hosts behind VLAN trunks.
     *
     * @schema HostPoolSpec#intranet
     */
    readonly intranet?: HostPoolSpecIntranet;
    /**
     * EC2 instances with one ENI a pod.
     *
     * @schema HostPoolSpec#ec2
     */
    readonly ec2?: HostPoolSpecEc2;
    /**
     * What one host will report: stock, kubelet files and checks work before the hosts are racked.
     *
     * @schema HostPoolSpec#machine
     */
    readonly machine?: HostPoolSpecMachine;
    /**
     * Local filesystems that quota volumes are cut from.
     *
     * @schema HostPoolSpec#volumes
     */
    readonly volumes?: HostPoolSpecVolumes[];
    /**
     * What this pool lends to others, as Kueue says: lending, and reclaim.
     *
     * @schema HostPoolSpec#lends
     */
    readonly lends?: HostPoolSpecLends;
    /**
     * `hard`: the pool is tainted and only locked pods run on it. `advisory`: other pods may come, locks say what they can no longer promise.
     *
     * @schema HostPoolSpec#locks
     */
    readonly locks?: HostPoolSpecLocks;
    /**
     * Another CNI that wires the pods here, and owns their addresses: a lock holds slots on nodes only. Left out: Gala gives each pod its address.
     *
     * @schema HostPoolSpec#cni
     */
    readonly cni?: string;
    /**
     * Desired number of instances of an ec2 pool, kept within `ec2.size`. Written through the scale subresource, never rendered.
     *
     * @schema HostPoolSpec#replicas
     */
    readonly replicas?: number;
}
/**
 * Converts an object of type 'HostPoolSpec' to JSON representation.
 */
export declare function toJson_HostPoolSpec(obj: HostPoolSpec | undefined): Record<string, any> | undefined;
/**
 * Which of the two blocks describes the pool.
 *
 * @schema HostPoolSpecShape
 */
export declare enum HostPoolSpecShape {
    /** intranet */
    INTRANET = "intranet",
    /** ec2 */
    EC2 = "ec2"
}
/**
 * Racked hosts behind VLAN trunks.
 *
 * @schema HostPoolSpecIntranet
 */
export interface HostPoolSpecIntranet {
    /**
     * Where the racks stand; rendered as `topology.kubernetes.io/zone`.
     *
     * @schema HostPoolSpecIntranet#datacenter
     */
    readonly datacenter?: string;
    /**
     * Host's end of the switch's trunk port: the link that VLAN sub-interfaces are made on.
     *
     * @schema HostPoolSpecIntranet#trunk
     */
    readonly trunk: string;
    /**
     * The racks, each with its hosts.
     *
     * @schema HostPoolSpecIntranet#racks
     */
    readonly racks: HostPoolSpecIntranetRacks[];
    /**
     * The VLANs that are trunked to the hosts.
     *
     * @schema HostPoolSpecIntranet#vlans
     */
    readonly vlans: HostPoolSpecIntranetVlans[];
    /**
     * How many pods' MAC addresses the switch lets one port show: its port-security maximum without the host's own. MacVlan shows one a pod.
     *
     * @schema HostPoolSpecIntranet#macsPerPort
     */
    readonly macsPerPort?: number;
}
/**
 * Converts an object of type 'HostPoolSpecIntranet' to JSON representation.
 */
export declare function toJson_HostPoolSpecIntranet(obj: HostPoolSpecIntranet | undefined): Record<string, any> | undefined;
/**
 * EC2 instances with one ENI a pod.
 *
 * @schema HostPoolSpecEc2
 */
export interface HostPoolSpecEc2 {
    /**
     * The EC2 region.
     *
     * @schema HostPoolSpecEc2#region
     */
    readonly region: string;
    /**
     * Instance types in order of preference: the next one when EC2 has no capacity. All carry the same ENI plan.
     *
     * @schema HostPoolSpecEc2#instanceTypes
     */
    readonly instanceTypes: string[];
    /**
     * Security groups of the two kinds of interface.
     *
     * @schema HostPoolSpecEc2#securityGroupIds
     */
    readonly securityGroupIds: HostPoolSpecEc2SecurityGroupIds;
    /**
     * The machine image.
     *
     * @schema HostPoolSpecEc2#imageId
     */
    readonly imageId: string;
    /**
     * The IAM instance profile of the nodes.
     *
     * @schema HostPoolSpecEc2#instanceProfile
     */
    readonly instanceProfile: string;
    /**
     * How an instance becomes a node.
     *
     * @schema HostPoolSpecEc2#join
     */
    readonly join: HostPoolSpecEc2Join;
    /**
     * Bounds of the number of instances; the desired number is the scale subresource.
     *
     * @schema HostPoolSpecEc2#size
     */
    readonly size: HostPoolSpecEc2Size;
    /**
     * MTU of the pods' interfaces; as they come when left out.
     *
     * @schema HostPoolSpecEc2#mtu
     */
    readonly mtu?: number;
    /**
     * Pod ENIs attached ahead, so that a release makes no EC2 call: a number, or `all` the type carries.
     *
     * @schema HostPoolSpecEc2#warmEnis
     */
    readonly warmEnis?: HostPoolSpecEc2WarmEnis;
    /**
     * On-demand capacity reservations, used first.
     *
     * @schema HostPoolSpecEc2#capacityReservationIds
     */
    readonly capacityReservationIds?: string[];
    /**
     * The availability zones, each with its subnets.
     *
     * @schema HostPoolSpecEc2#zones
     */
    readonly zones: HostPoolSpecEc2Zones[];
}
/**
 * Converts an object of type 'HostPoolSpecEc2' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2(obj: HostPoolSpecEc2 | undefined): Record<string, any> | undefined;
/**
 * What one host will report: stock, kubelet files and checks work before the hosts are racked.
 *
 * @schema HostPoolSpecMachine
 */
export interface HostPoolSpecMachine {
    /**
     * Logical CPUs.
     *
     * @schema HostPoolSpecMachine#cpu
     */
    readonly cpu: HostPoolSpecMachineCpu;
    /**
     * Memory.
     *
     * @schema HostPoolSpecMachine#memory
     */
    readonly memory: HostPoolSpecMachineMemory;
    /**
     * Network bandwidth in bits a second, each direction.
     *
     * @schema HostPoolSpecMachine#bandwidth
     */
    readonly bandwidth?: HostPoolSpecMachineBandwidth;
    /**
     * Swap space; without it containers have none.
     *
     * @schema HostPoolSpecMachine#swap
     */
    readonly swap?: HostPoolSpecMachineSwap;
    /**
     * What is kept for the system and the kubelet; pods don't get it.
     *
     * @schema HostPoolSpecMachine#reserved
     */
    readonly reserved?: HostPoolSpecMachineReserved;
}
/**
 * Converts an object of type 'HostPoolSpecMachine' to JSON representation.
 */
export declare function toJson_HostPoolSpecMachine(obj: HostPoolSpecMachine | undefined): Record<string, any> | undefined;
/**
 * A filesystem.
 *
 * @schema HostPoolSpecVolumes
 */
export interface HostPoolSpecVolumes {
    /**
     * Name of the volume; part of its StorageClass.
     *
     * @schema HostPoolSpecVolumes#name
     */
    readonly name: string;
    /**
     * Mount point of the filesystem on the host.
     *
     * @schema HostPoolSpecVolumes#path
     */
    readonly path: string;
    /**
     * Size of the filesystem.
     *
     * @schema HostPoolSpecVolumes#size
     */
    readonly size: HostPoolSpecVolumesSize;
    /**
     * How many times its size may be promised in quotas.
     *
     * @schema HostPoolSpecVolumes#overcommit
     */
    readonly overcommit?: number;
    /**
     * The largest quota one claim may have; at most the size.
     *
     * @schema HostPoolSpecVolumes#maxQuota
     */
    readonly maxQuota?: HostPoolSpecVolumesMaxQuota;
}
/**
 * Converts an object of type 'HostPoolSpecVolumes' to JSON representation.
 */
export declare function toJson_HostPoolSpecVolumes(obj: HostPoolSpecVolumes | undefined): Record<string, any> | undefined;
/**
 * What this pool lends to others, as Kueue says: lending, and reclaim.
 *
 * @schema HostPoolSpecLends
 */
export interface HostPoolSpecLends {
    /**
     * The share of the pool's hosts that may be lent.
     *
     * @schema HostPoolSpecLends#upTo
     */
    readonly upTo: string;
    /**
     * How long a borrower has to give back after the lender asks.
     *
     * @schema HostPoolSpecLends#reclaimMinutes
     */
    readonly reclaimMinutes: number;
    /**
     * When it lends; always when left out.
     *
     * @schema HostPoolSpecLends#windows
     */
    readonly windows?: string[];
}
/**
 * Converts an object of type 'HostPoolSpecLends' to JSON representation.
 */
export declare function toJson_HostPoolSpecLends(obj: HostPoolSpecLends | undefined): Record<string, any> | undefined;
/**
 * `hard`: the pool is tainted and only locked pods run on it. `advisory`: other pods may come, locks say what they can no longer promise.
 *
 * @schema HostPoolSpecLocks
 */
export declare enum HostPoolSpecLocks {
    /** hard */
    HARD = "hard",
    /** advisory */
    ADVISORY = "advisory"
}
/**
 * A rack.
 *
 * @schema HostPoolSpecIntranetRacks
 */
export interface HostPoolSpecIntranetRacks {
    /**
     * Name of the rack; hosts carry it as the label `gala.internal/rack`, locks spread over it.
     *
     * @schema HostPoolSpecIntranetRacks#name
     */
    readonly name: string;
    /**
     * The hosts of the rack, in nodeset notation.
     *
     * @schema HostPoolSpecIntranetRacks#hosts
     */
    readonly hosts: string;
}
/**
 * Converts an object of type 'HostPoolSpecIntranetRacks' to JSON representation.
 */
export declare function toJson_HostPoolSpecIntranetRacks(obj: HostPoolSpecIntranetRacks | undefined): Record<string, any> | undefined;
/**
 * A VLAN.
 *
 * @schema HostPoolSpecIntranetVlans
 */
export interface HostPoolSpecIntranetVlans {
    /**
     * 802.1Q id that the rack switches trunk to the hosts.
     *
     * @schema HostPoolSpecIntranetVlans#id
     */
    readonly id: number;
    /**
     * The network of the VLAN.
     *
     * @schema HostPoolSpecIntranetVlans#subnet
     */
    readonly subnet: string;
    /**
     * The VLAN's router, inside the subnet.
     *
     * @schema HostPoolSpecIntranetVlans#gateway
     */
    readonly gateway: string;
    /**
     * The addresses pods may have: `a-b` or a CIDR, inside the subnet. What isn't listed stays the network team's.
     *
     * @schema HostPoolSpecIntranetVlans#addresses
     */
    readonly addresses: string;
    /**
     * MTU of the pods' links, at most the trunk's; the trunk's when left out.
     *
     * @schema HostPoolSpecIntranetVlans#mtu
     */
    readonly mtu?: number;
    /**
     * Static routes of the pods, beside the one to the gateway.
     *
     * @schema HostPoolSpecIntranetVlans#routes
     */
    readonly routes?: HostPoolSpecIntranetVlansRoutes[];
    /**
     * Gives each pod an IPv6 address beside its IPv4 one: these 96 bits and the IPv4 address. The router has its own so. IPv4 only when left out.
     *
     * @schema HostPoolSpecIntranetVlans#ipv6Prefix
     */
    readonly ipv6Prefix?: string;
    /**
     * The racks whose switches trunk this VLAN; everywhere when left out.
     *
     * @schema HostPoolSpecIntranetVlans#racks
     */
    readonly racks?: string[];
    /**
     * The namespaces whose pods may use this VLAN; all when left out.
     *
     * @schema HostPoolSpecIntranetVlans#namespaces
     */
    readonly namespaces?: string[];
}
/**
 * Converts an object of type 'HostPoolSpecIntranetVlans' to JSON representation.
 */
export declare function toJson_HostPoolSpecIntranetVlans(obj: HostPoolSpecIntranetVlans | undefined): Record<string, any> | undefined;
/**
 * Security groups of the two kinds of interface.
 *
 * @schema HostPoolSpecEc2SecurityGroupIds
 */
export interface HostPoolSpecEc2SecurityGroupIds {
    /**
     * Of the instances' own interface.
     *
     * @schema HostPoolSpecEc2SecurityGroupIds#node
     */
    readonly node: string[];
    /**
     * Of the pods' interfaces.
     *
     * @schema HostPoolSpecEc2SecurityGroupIds#pod
     */
    readonly pod: string[];
}
/**
 * Converts an object of type 'HostPoolSpecEc2SecurityGroupIds' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2SecurityGroupIds(obj: HostPoolSpecEc2SecurityGroupIds | undefined): Record<string, any> | undefined;
/**
 * How an instance becomes a node.
 *
 * @schema HostPoolSpecEc2Join
 */
export interface HostPoolSpecEc2Join {
    /**
     * The EKS cluster it joins by EKS’ own means.
     *
     * @schema HostPoolSpecEc2Join#eks
     */
    readonly eks?: string;
    /**
     * It joins by a bootstrap token made for its launch and deleted when it has joined.
     *
     * @schema HostPoolSpecEc2Join#bootstrap
     */
    readonly bootstrap?: boolean;
}
/**
 * Converts an object of type 'HostPoolSpecEc2Join' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2Join(obj: HostPoolSpecEc2Join | undefined): Record<string, any> | undefined;
/**
 * Bounds of the number of instances; the desired number is the scale subresource.
 *
 * @schema HostPoolSpecEc2Size
 */
export interface HostPoolSpecEc2Size {
    /**
     * At least so many.
     *
     * @schema HostPoolSpecEc2Size#min
     */
    readonly min: number;
    /**
     * At most so many.
     *
     * @schema HostPoolSpecEc2Size#max
     */
    readonly max: number;
}
/**
 * Converts an object of type 'HostPoolSpecEc2Size' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2Size(obj: HostPoolSpecEc2Size | undefined): Record<string, any> | undefined;
/**
 * Pod ENIs attached ahead, so that a release makes no EC2 call: a number, or `all` the type carries.
 *
 * @schema HostPoolSpecEc2WarmEnis
 */
export declare class HostPoolSpecEc2WarmEnis {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecEc2WarmEnis;
    static fromString(value: string): HostPoolSpecEc2WarmEnis;
    private constructor();
}
/**
 * A zone.
 *
 * @schema HostPoolSpecEc2Zones
 */
export interface HostPoolSpecEc2Zones {
    /**
     * An EC2 availability zone of the region.
     *
     * @schema HostPoolSpecEc2Zones#name
     */
    readonly name: string;
    /**
     * Subnet of the instances' own interface.
     *
     * @schema HostPoolSpecEc2Zones#nodeSubnetId
     */
    readonly nodeSubnetId: string;
    /**
     * Subnet of the pods' interfaces; in the same zone.
     *
     * @schema HostPoolSpecEc2Zones#podSubnetId
     */
    readonly podSubnetId: string;
    /**
     * Network of the pods' subnet. When left out, nodes ask the instance metadata service for it.
     *
     * @schema HostPoolSpecEc2Zones#podSubnetCidr
     */
    readonly podSubnetCidr?: string;
    /**
     * Static routes of the pods, beside the one to the subnet's router.
     *
     * @schema HostPoolSpecEc2Zones#routes
     */
    readonly routes?: HostPoolSpecEc2ZonesRoutes[];
}
/**
 * Converts an object of type 'HostPoolSpecEc2Zones' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2Zones(obj: HostPoolSpecEc2Zones | undefined): Record<string, any> | undefined;
/**
 * Logical CPUs.
 *
 * @schema HostPoolSpecMachineCpu
 */
export declare class HostPoolSpecMachineCpu {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineCpu;
    static fromString(value: string): HostPoolSpecMachineCpu;
    private constructor();
}
/**
 * Memory.
 *
 * @schema HostPoolSpecMachineMemory
 */
export declare class HostPoolSpecMachineMemory {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineMemory;
    static fromString(value: string): HostPoolSpecMachineMemory;
    private constructor();
}
/**
 * Network bandwidth in bits a second, each direction.
 *
 * @schema HostPoolSpecMachineBandwidth
 */
export declare class HostPoolSpecMachineBandwidth {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineBandwidth;
    static fromString(value: string): HostPoolSpecMachineBandwidth;
    private constructor();
}
/**
 * Swap space; without it containers have none.
 *
 * @schema HostPoolSpecMachineSwap
 */
export declare class HostPoolSpecMachineSwap {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineSwap;
    static fromString(value: string): HostPoolSpecMachineSwap;
    private constructor();
}
/**
 * What is kept for the system and the kubelet; pods don't get it.
 *
 * @schema HostPoolSpecMachineReserved
 */
export interface HostPoolSpecMachineReserved {
    /**
     * Logical CPUs kept.
     *
     * @schema HostPoolSpecMachineReserved#cpu
     */
    readonly cpu: HostPoolSpecMachineReservedCpu;
    /**
     * Memory kept.
     *
     * @schema HostPoolSpecMachineReserved#memory
     */
    readonly memory: HostPoolSpecMachineReservedMemory;
}
/**
 * Converts an object of type 'HostPoolSpecMachineReserved' to JSON representation.
 */
export declare function toJson_HostPoolSpecMachineReserved(obj: HostPoolSpecMachineReserved | undefined): Record<string, any> | undefined;
/**
 * Size of the filesystem.
 *
 * @schema HostPoolSpecVolumesSize
 */
export declare class HostPoolSpecVolumesSize {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecVolumesSize;
    static fromString(value: string): HostPoolSpecVolumesSize;
    private constructor();
}
/**
 * The largest quota one claim may have; at most the size.
 *
 * @schema HostPoolSpecVolumesMaxQuota
 */
export declare class HostPoolSpecVolumesMaxQuota {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecVolumesMaxQuota;
    static fromString(value: string): HostPoolSpecVolumesMaxQuota;
    private constructor();
}
/**
 * A route.
 *
 * @schema HostPoolSpecIntranetVlansRoutes
 */
export interface HostPoolSpecIntranetVlansRoutes {
    /**
     * Where it leads: a network.
     *
     * @schema HostPoolSpecIntranetVlansRoutes#to
     */
    readonly to: string;
    /**
     * The router on the way, an address of the same subnet; the gateway when left out.
     *
     * @schema HostPoolSpecIntranetVlansRoutes#via
     */
    readonly via?: string;
}
/**
 * Converts an object of type 'HostPoolSpecIntranetVlansRoutes' to JSON representation.
 */
export declare function toJson_HostPoolSpecIntranetVlansRoutes(obj: HostPoolSpecIntranetVlansRoutes | undefined): Record<string, any> | undefined;
/**
 * A route.
 *
 * @schema HostPoolSpecEc2ZonesRoutes
 */
export interface HostPoolSpecEc2ZonesRoutes {
    /**
     * Where it leads: a network.
     *
     * @schema HostPoolSpecEc2ZonesRoutes#to
     */
    readonly to: string;
    /**
     * The router on the way, an address of the same subnet; the gateway when left out.
     *
     * @schema HostPoolSpecEc2ZonesRoutes#via
     */
    readonly via?: string;
}
/**
 * Converts an object of type 'HostPoolSpecEc2ZonesRoutes' to JSON representation.
 */
export declare function toJson_HostPoolSpecEc2ZonesRoutes(obj: HostPoolSpecEc2ZonesRoutes | undefined): Record<string, any> | undefined;
/**
 * Logical CPUs kept.
 *
 * @schema HostPoolSpecMachineReservedCpu
 */
export declare class HostPoolSpecMachineReservedCpu {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineReservedCpu;
    static fromString(value: string): HostPoolSpecMachineReservedCpu;
    private constructor();
}
/**
 * Memory kept.
 *
 * @schema HostPoolSpecMachineReservedMemory
 */
export declare class HostPoolSpecMachineReservedMemory {
    readonly value: number | string;
    static fromNumber(value: number): HostPoolSpecMachineReservedMemory;
    static fromString(value: string): HostPoolSpecMachineReservedMemory;
    private constructor();
}
/**
 * One taken address: who has it, on which node, since which pod. Exists while the address is taken; deleted means free.
 *
 * @schema IPLock
 */
export declare class IpLock extends ApiObject {
    /**
     * Returns the apiVersion and kind for "IPLock"
     */
    static readonly GVK: GroupVersionKind;
    /**
     * Renders a Kubernetes manifest for "IPLock".
     *
     * This can be used to inline resource manifests inside other objects (e.g. as templates).
     *
     * @param props initialization props
     */
    static manifest(props: IpLockProps): any;
    /**
     * Defines a "IPLock" API object
     * @param scope the scope in which to define this object
     * @param id a scope-local name for the object
     * @param props initialization props
     */
    constructor(scope: Construct, id: string, props: IpLockProps);
    /**
     * Renders the object to Kubernetes JSON.
     */
    toJson(): any;
}
/**
 * One taken address: who has it, on which node, since which pod. Exists while the address is taken; deleted means free.
 *
 * @schema IPLock
 */
export interface IpLockProps {
    /**
     * @schema IPLock#metadata
     */
    readonly metadata?: ApiObjectMetadata;
    /**
     * Who has it.
     *
     * @schema IPLock#spec
     */
    readonly spec: IpLockSpec;
}
/**
 * Converts an object of type 'IpLockProps' to JSON representation.
 */
export declare function toJson_IpLockProps(obj: IpLockProps | undefined): Record<string, any> | undefined;
/**
 * Who has it.
 *
 * @schema IpLockSpec
 */
export interface IpLockSpec {
    /**
     * `Locked`: for a pod to come. `Bound`: wired in a pod. `Held`: for the next pod of its owner. `Quarantined`: somebody else answers for it.
     *
     * @schema IpLockSpec#phase
     */
    readonly phase: IpLockSpecPhase;
    /**
     * The node it is locked on, or was last bound on.
     *
     * @schema IpLockSpec#node
     */
    readonly node: string;
    /**
     * MAC address of the link that has it; derived from the address on VLANs, that of the ENI on EC2.
     *
     * @schema IpLockSpec#mac
     */
    readonly mac: string;
    /**
     * The Lock it belongs to; a loose pod has none.
     *
     * @schema IpLockSpec#lock
     */
    readonly lock?: IpLockSpecLock;
    /**
     * Who it is for, with the namespace: the Lock's namespace and owner, or the loose pod's namespace and name.
     *
     * @schema IpLockSpec#owner
     */
    readonly owner: string;
    /**
     * The pod it is assigned to (`Locked`) or wired in (`Bound`).
     *
     * @schema IpLockSpec#podUID
     */
    readonly podUid?: string;
}
/**
 * Converts an object of type 'IpLockSpec' to JSON representation.
 */
export declare function toJson_IpLockSpec(obj: IpLockSpec | undefined): Record<string, any> | undefined;
/**
 * `Locked`: for a pod to come. `Bound`: wired in a pod. `Held`: for the next pod of its owner. `Quarantined`: somebody else answers for it.
 *
 * @schema IpLockSpecPhase
 */
export declare enum IpLockSpecPhase {
    /** Locked */
    LOCKED = "Locked",
    /** Bound */
    BOUND = "Bound",
    /** Held */
    HELD = "Held",
    /** Quarantined */
    QUARANTINED = "Quarantined"
}
/**
 * The Lock it belongs to; a loose pod has none.
 *
 * @schema IpLockSpecLock
 */
export interface IpLockSpecLock {
    /**
     * Namespace of the Lock.
     *
     * @schema IpLockSpecLock#namespace
     */
    readonly namespace: string;
    /**
     * Name of the Lock.
     *
     * @schema IpLockSpecLock#name
     */
    readonly name: string;
}
/**
 * Converts an object of type 'IpLockSpecLock' to JSON representation.
 */
export declare function toJson_IpLockSpecLock(obj: IpLockSpecLock | undefined): Record<string, any> | undefined;
/**
 * Slots on nodes, with their addresses, held for an owner before the pods exist. Its name is the idempotency key.
 *
 * @schema Lock
 */
export declare class Lock extends ApiObject {
    /**
     * Returns the apiVersion and kind for "Lock"
     */
    static readonly GVK: GroupVersionKind;
    /**
     * Renders a Kubernetes manifest for "Lock".
     *
     * This can be used to inline resource manifests inside other objects (e.g. as templates).
     *
     * @param props initialization props
     */
    static manifest(props: LockProps): any;
    /**
     * Defines a "Lock" API object
     * @param scope the scope in which to define this object
     * @param id a scope-local name for the object
     * @param props initialization props
     */
    constructor(scope: Construct, id: string, props: LockProps);
    /**
     * Renders the object to Kubernetes JSON.
     */
    toJson(): any;
}
/**
 * Slots on nodes, with their addresses, held for an owner before the pods exist. Its name is the idempotency key.
 *
 * @schema Lock
 */
export interface LockProps {
    /**
     * @schema Lock#metadata
     */
    readonly metadata?: ApiObjectMetadata;
    /**
     * What is asked for.
     *
     * @schema Lock#spec
     */
    readonly spec: LockSpec;
}
/**
 * Converts an object of type 'LockProps' to JSON representation.
 */
export declare function toJson_LockProps(obj: LockProps | undefined): Record<string, any> | undefined;
/**
 * What is asked for.
 *
 * @schema LockSpec
 */
export interface LockSpec {
    /**
     * The pods to come, as `template` of a Deployment: their labels and annotations (bandwidth) and their spec. The API server keeps it as it is; its fields are checked when a pod is made of it.
     *
     * @schema LockSpec#template
     */
    readonly template?: any;
    /**
     * Where the pod template is taken from, in the same namespace; read once, when the lock is planned.
     *
     * @schema LockSpec#podFrom
     */
    readonly podFrom?: LockSpecPodFrom;
    /**
     * How many slots.
     *
     * @schema LockSpec#count
     */
    readonly count: number;
    /**
     * `concentrate` fills hosts one after the other; `spread` keeps to caps per node, rack and zone.
     *
     * @schema LockSpec#strategy
     */
    readonly strategy?: LockSpecStrategy;
    /**
     * Caps by place. A place without a cap takes what it can.
     *
     * @schema LockSpec#maxPer
     */
    readonly maxPer?: LockSpecMaxPer;
    /**
     * The datacenter to fill first, by its name; the others take what it has no room for.
     *
     * @schema LockSpec#near
     */
    readonly near?: string;
    /**
     * Who the slots are for, the same over all its pods and releases: a name in this Lock's namespace. A Held address goes only to its own owner.
     *
     * @schema LockSpec#owner
     */
    readonly owner: string;
    /**
     * How long an unused slot waits for its pod after the last renewal.
     *
     * @schema LockSpec#ttlSeconds
     */
    readonly ttlSeconds?: number;
    /**
     * Renews the lock whenever it changes; how long ago is counted by the lock writer, not from this time.
     *
     * @schema LockSpec#renewedAt
     */
    readonly renewedAt?: string;
    /**
     * Fewer slots than `count` are welcome; otherwise it is all or nothing.
     *
     * @schema LockSpec#allowPartial
     */
    readonly allowPartial?: boolean;
    /**
     * How long a Held address waits for its owner's next pod; 0 is for ever, for the ordinals of a StatefulSet.
     *
     * @schema LockSpec#holdSeconds
     */
    readonly holdSeconds?: number;
    /**
     * What becomes of a slot without a pod on a node that is cordoned, off or gone: `move`, with its address, to another node; `replace`, to another node with another address; `wait` until the node is back. Left out it is `move` on VLANs, and `replace` where the address is a pod ENI's, which lives and dies with its instance.
     *
     * @schema LockSpec#moveOnDrain
     */
    readonly moveOnDrain?: LockSpecMoveOnDrain;
}
/**
 * Converts an object of type 'LockSpec' to JSON representation.
 */
export declare function toJson_LockSpec(obj: LockSpec | undefined): Record<string, any> | undefined;
/**
 * Where the pod template is taken from, in the same namespace; read once, when the lock is planned.
 *
 * @schema LockSpecPodFrom
 */
export interface LockSpecPodFrom {
    /**
     * Kind of the object.
     *
     * @schema LockSpecPodFrom#kind
     */
    readonly kind: LockSpecPodFromKind;
    /**
     * Its name.
     *
     * @schema LockSpecPodFrom#name
     */
    readonly name: string;
}
/**
 * Converts an object of type 'LockSpecPodFrom' to JSON representation.
 */
export declare function toJson_LockSpecPodFrom(obj: LockSpecPodFrom | undefined): Record<string, any> | undefined;
/**
 * `concentrate` fills hosts one after the other; `spread` keeps to caps per node, rack and zone.
 *
 * @schema LockSpecStrategy
 */
export declare enum LockSpecStrategy {
    /** concentrate */
    CONCENTRATE = "concentrate",
    /** spread */
    SPREAD = "spread"
}
/**
 * Caps by place. A place without a cap takes what it can.
 *
 * @schema LockSpecMaxPer
 */
export interface LockSpecMaxPer {
    /**
     * The most slots on one node: a number, or a percentage of `count`, rounded up.
     *
     * @schema LockSpecMaxPer#node
     */
    readonly node?: LockSpecMaxPerNode;
    /**
     * The most slots on one rack: a number, or a percentage of `count`, rounded up.
     *
     * @schema LockSpecMaxPer#rack
     */
    readonly rack?: LockSpecMaxPerRack;
    /**
     * The most slots on one zone: a number, or a percentage of `count`, rounded up.
     *
     * @schema LockSpecMaxPer#zone
     */
    readonly zone?: LockSpecMaxPerZone;
    /**
     * The most slots on one datacenter: a number, or a percentage of `count`, rounded up.
     *
     * @schema LockSpecMaxPer#datacenter
     */
    readonly datacenter?: LockSpecMaxPerDatacenter;
}
/**
 * Converts an object of type 'LockSpecMaxPer' to JSON representation.
 */
export declare function toJson_LockSpecMaxPer(obj: LockSpecMaxPer | undefined): Record<string, any> | undefined;
/**
 * What becomes of a slot without a pod on a node that is cordoned, off or gone: `move`, with its address, to another node; `replace`, to another node with another address; `wait` until the node is back. Left out it is `move` on VLANs, and `replace` where the address is a pod ENI's, which lives and dies with its instance.
 *
 * @schema LockSpecMoveOnDrain
 */
export declare enum LockSpecMoveOnDrain {
    /** move */
    MOVE = "move",
    /** replace */
    REPLACE = "replace",
    /** wait */
    WAIT = "wait"
}
/**
 * Kind of the object.
 *
 * @schema LockSpecPodFromKind
 */
export declare enum LockSpecPodFromKind {
    /** Pod */
    POD = "Pod",
    /** PodTemplate */
    POD_TEMPLATE = "PodTemplate",
    /** Deployment */
    DEPLOYMENT = "Deployment",
    /** StatefulSet */
    STATEFUL_SET = "StatefulSet",
    /** ReplicaSet */
    REPLICA_SET = "ReplicaSet",
    /** Job */
    JOB = "Job",
    /** ServicePool */
    SERVICE_POOL = "ServicePool"
}
/**
 * The most slots on one node: a number, or a percentage of `count`, rounded up.
 *
 * @schema LockSpecMaxPerNode
 */
export declare class LockSpecMaxPerNode {
    readonly value: number | string;
    static fromNumber(value: number): LockSpecMaxPerNode;
    static fromString(value: string): LockSpecMaxPerNode;
    private constructor();
}
/**
 * The most slots on one rack: a number, or a percentage of `count`, rounded up.
 *
 * @schema LockSpecMaxPerRack
 */
export declare class LockSpecMaxPerRack {
    readonly value: number | string;
    static fromNumber(value: number): LockSpecMaxPerRack;
    static fromString(value: string): LockSpecMaxPerRack;
    private constructor();
}
/**
 * The most slots on one zone: a number, or a percentage of `count`, rounded up.
 *
 * @schema LockSpecMaxPerZone
 */
export declare class LockSpecMaxPerZone {
    readonly value: number | string;
    static fromNumber(value: number): LockSpecMaxPerZone;
    static fromString(value: string): LockSpecMaxPerZone;
    private constructor();
}
/**
 * The most slots on one datacenter: a number, or a percentage of `count`, rounded up.
 *
 * @schema LockSpecMaxPerDatacenter
 */
export declare class LockSpecMaxPerDatacenter {
    readonly value: number | string;
    static fromNumber(value: number): LockSpecMaxPerDatacenter;
    static fromString(value: string): LockSpecMaxPerDatacenter;
    private constructor();
}
/**
 * A node's part of the network: which machine it is, its trunk, its ENI slots, what is up.
 *
 * @schema NodeNetwork
 */
export declare class NodeNetwork extends ApiObject {
    /**
     * Returns the apiVersion and kind for "NodeNetwork"
     */
    static readonly GVK: GroupVersionKind;
    /**
     * Renders a Kubernetes manifest for "NodeNetwork".
     *
     * This can be used to inline resource manifests inside other objects (e.g. as templates).
     *
     * @param props initialization props
     */
    static manifest(props: NodeNetworkProps): any;
    /**
     * Defines a "NodeNetwork" API object
     * @param scope the scope in which to define this object
     * @param id a scope-local name for the object
     * @param props initialization props
     */
    constructor(scope: Construct, id: string, props: NodeNetworkProps);
    /**
     * Renders the object to Kubernetes JSON.
     */
    toJson(): any;
}
/**
 * A node's part of the network: which machine it is, its trunk, its ENI slots, what is up.
 *
 * @schema NodeNetwork
 */
export interface NodeNetworkProps {
    /**
     * @schema NodeNetwork#metadata
     */
    readonly metadata?: ApiObjectMetadata;
    /**
     * Which machine it is and what it is given.
     *
     * @schema NodeNetwork#spec
     */
    readonly spec: NodeNetworkSpec;
}
/**
 * Converts an object of type 'NodeNetworkProps' to JSON representation.
 */
export declare function toJson_NodeNetworkProps(obj: NodeNetworkProps | undefined): Record<string, any> | undefined;
/**
 * Which machine it is and what it is given.
 *
 * @schema NodeNetworkSpec
 */
export interface NodeNetworkSpec {
    /**
     * A racked host: what its Node says in `status.nodeInfo.machineID`.
     *
     * @schema NodeNetworkSpec#machineID
     */
    readonly machineId?: string;
    /**
     * An EC2 instance: what its Node says in `spec.providerID`.
     *
     * @schema NodeNetworkSpec#providerID
     */
    readonly providerId?: string;
    /**
     * Name of the pool; hosts carry it as the label `gala.internal/pool`.
     *
     * @schema NodeNetworkSpec#pool
     */
    readonly pool: string;
    /**
     * Host's end of the switch's trunk port: the link that VLAN sub-interfaces are made on.
     *
     * @schema NodeNetworkSpec#trunk
     */
    readonly trunk?: string;
    /**
     * Pod ENIs by network card and device index.
     *
     * @schema NodeNetworkSpec#eniSlots
     */
    readonly eniSlots?: NodeNetworkSpecEniSlots[];
}
/**
 * Converts an object of type 'NodeNetworkSpec' to JSON representation.
 */
export declare function toJson_NodeNetworkSpec(obj: NodeNetworkSpec | undefined): Record<string, any> | undefined;
/**
 * A pod ENI of the instance.
 *
 * @schema NodeNetworkSpecEniSlots
 */
export interface NodeNetworkSpecEniSlots {
    /**
     * EC2's network card index; most instance types have card 0 only.
     *
     * @schema NodeNetworkSpecEniSlots#networkCardIndex
     */
    readonly networkCardIndex?: number;
    /**
     * EC2's device index on that card.
     *
     * @schema NodeNetworkSpecEniSlots#deviceIndex
     */
    readonly deviceIndex: number;
    /**
     * The interface.
     *
     * @schema NodeNetworkSpecEniSlots#eniId
     */
    readonly eniId: string;
    /**
     * Its MAC address: how the agent finds the link.
     *
     * @schema NodeNetworkSpecEniSlots#mac
     */
    readonly mac: string;
    /**
     * Its primary address: the one a pod gets.
     *
     * @schema NodeNetworkSpecEniSlots#ip
     */
    readonly ip: string;
    /**
     * The subnet it lies in.
     *
     * @schema NodeNetworkSpecEniSlots#subnetId
     */
    readonly subnetId: string;
}
/**
 * Converts an object of type 'NodeNetworkSpecEniSlots' to JSON representation.
 */
export declare function toJson_NodeNetworkSpecEniSlots(obj: NodeNetworkSpecEniSlots | undefined): Record<string, any> | undefined;
