//! Who makes the virtual machine: the CPU says so itself where it can be asked, else the kernel or
//! the firmware.

use super::fact::{Fact, NONE};
use super::source;

/// The signatures that hypervisors give the CPU to say.
const SIGNATURES: [(&str, &str); 9] = [
    ("KVMKVMKVM", "KVM"),
    ("Linux KVM Hv", "KVM"),
    ("Microsoft Hv", "Hyper-V"),
    ("VMwareVMware", "VMware"),
    ("XenVMMXenVMM", "Xen"),
    ("TCGTCGTCGTCG", "QEMU without KVM"),
    ("VBoxVBoxVBox", "VirtualBox"),
    ("bhyve bhyve ", "bhyve"),
    (" prl hyperv ", "Parallels"),
];

/// Words in the names of the firmware, and who they stand for.
const FIRMWARE: [(&str, &str); 8] = [
    ("KVM", "KVM"),
    ("Amazon EC2", "KVM"),
    ("Google Compute Engine", "KVM"),
    ("QEMU", "QEMU"),
    ("VMware", "VMware"),
    ("VirtualBox", "VirtualBox"),
    ("Xen", "Xen"),
    ("Microsoft Corporation Virtual Machine", "Hyper-V"),
];

/// Returns who makes the virtual machine, or "none" on a CPU that says there is nobody.
pub(super) fn read(vendor: &Fact, product: &Fact) -> Fact {
    let flags = source::field("/proc/cpuinfo", "flags");
    let is_guest = flags.as_str().split(' ').any(|flag| flag == "hypervisor");
    if flags.is_known() && !is_guest {
        return NONE.into();
    }

    let signature = if is_guest { signature() } else { None };
    let reported = signature.map(|signature| named(&signature));
    let reported = Fact::from(reported).or_else(|| source::line("/sys/hypervisor/type"));
    let reported = reported.or_else(|| by_firmware(&format!("{vendor} {product}")));
    reported.or_else(|| if is_guest { "not named".into() } else { Fact::default() })
}

/// Returns the twelve letters that the CPU says for its hypervisor.
#[cfg(target_arch = "x86_64")]
fn signature() -> Option<String> {
    // The first leaf of those that are left to hypervisors.
    let leaf = std::arch::x86_64::__cpuid(0x4000_0000);
    let bytes = [leaf.ebx, leaf.ecx, leaf.edx].map(u32::to_le_bytes).concat();
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim_end_matches('\0').to_owned();
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b)))
}

/// Returns nothing, since only x86 has a place for the signature.
#[cfg(not(target_arch = "x86_64"))]
fn signature() -> Option<String> {
    None
}

/// Returns the usual name for a signature, or the signature.
fn named(signature: &str) -> String {
    let known = SIGNATURES.iter().find(|(letters, _)| *letters == signature);
    known.map_or(signature, |(_, name)| name).to_owned()
}

/// Returns who the names in the firmware stand for.
fn by_firmware(names: &str) -> Fact {
    let known = FIRMWARE.iter().find(|(words, _)| names.contains(words));
    known.map(|&(_, name)| name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_nobody_knows_is_reported_as_it_is() {
        assert_eq!(named("KVMKVMKVM"), "KVM");
        assert_eq!(named("NewNewNewNew"), "NewNewNewNew");
    }

    #[test]
    fn firmware_names_a_hypervisor_only_by_known_words() {
        assert_eq!(by_firmware("QEMU KVM Virtual Machine").as_str(), "KVM");
        assert_eq!(by_firmware("Microsoft Corporation Surface Laptop"), Fact::default());
    }
}
