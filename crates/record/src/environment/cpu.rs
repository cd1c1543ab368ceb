//! What a CPU is called. Only some architectures have a name in `/proc/cpuinfo`; of the others the
//! numbers of maker and part are reported, as `lscpu` reads them.

use super::fact::Fact;
use super::source;

/// Keys under which architectures name a CPU, the most distinctive first.
const NAMES: [&str; 5] = ["model name", "Model Name", "cpu model", "uarch", "cpu"];
/// The numbers that x86 and RISC-V have beside a name, or instead of one.
const NUMBERS: [&[&str]; 2] =
    [&["vendor_id", "cpu family", "model", "stepping"], &["mvendorid", "marchid", "mimpid"]];
/// Makers of cores for ARM, by the number of theirs.
const MAKERS: [(&str, &str); 12] = [
    ("0x41", "ARM"),
    ("0x42", "Broadcom"),
    ("0x43", "Cavium"),
    ("0x46", "Fujitsu"),
    ("0x48", "HiSilicon"),
    ("0x4e", "NVIDIA"),
    ("0x50", "APM"),
    ("0x51", "Qualcomm"),
    ("0x53", "Samsung"),
    ("0x61", "Apple"),
    ("0x6d", "Microsoft"),
    ("0xc0", "Ampere"),
];
/// Cores that ARM itself designs, by the number of the part.
const PARTS: [(&str, &str); 29] = [
    ("0xd03", "Cortex-A53"),
    ("0xd04", "Cortex-A35"),
    ("0xd05", "Cortex-A55"),
    ("0xd07", "Cortex-A57"),
    ("0xd08", "Cortex-A72"),
    ("0xd09", "Cortex-A73"),
    ("0xd0a", "Cortex-A75"),
    ("0xd0b", "Cortex-A76"),
    ("0xd0c", "Neoverse-N1"),
    ("0xd0d", "Cortex-A77"),
    ("0xd40", "Neoverse-V1"),
    ("0xd41", "Cortex-A78"),
    ("0xd44", "Cortex-X1"),
    ("0xd46", "Cortex-A510"),
    ("0xd47", "Cortex-A710"),
    ("0xd48", "Cortex-X2"),
    ("0xd49", "Neoverse-N2"),
    ("0xd4a", "Neoverse-E1"),
    ("0xd4b", "Cortex-A78C"),
    ("0xd4c", "Cortex-X1C"),
    ("0xd4d", "Cortex-A715"),
    ("0xd4e", "Cortex-X3"),
    ("0xd4f", "Neoverse-V2"),
    ("0xd80", "Cortex-A520"),
    ("0xd81", "Cortex-A720"),
    ("0xd82", "Cortex-X4"),
    ("0xd83", "Neoverse-V3"),
    ("0xd85", "Cortex-X925"),
    ("0xd8e", "Neoverse-N3"),
];

/// Returns what `/proc/cpuinfo` reports of the CPUs.
pub(super) fn model(cpuinfo: &str) -> Fact {
    // First: where a kernel names a CPU for ARM, all of one generation have the same name.
    let name = arm(cpuinfo);
    let name =
        NAMES.iter().fold(name, |name, key| name.or_else(|| source::value(cpuinfo, key).into()));
    NUMBERS.iter().fold(name, |name, keys| name.or_else(|| numbers(cpuinfo, keys).into()))
}

/// Returns each kind of core of a machine with ARM, in the order of its CPUs.
fn arm(cpuinfo: &str) -> Fact {
    let mut kinds: Vec<String> = Vec::new();
    for cpu in cpuinfo.split("\n\n") {
        let number = |key| source::value(cpu, key);
        let (Some(maker), Some(part)) = (number("CPU implementer"), number("CPU part")) else {
            continue;
        };
        let kind = core(maker, part) + &revision(number("CPU variant"), number("CPU revision"));
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(" and ").into()
}

/// Returns what a core for ARM is called, by its numbers where it has no name here.
fn core(maker: &str, part: &str) -> String {
    let by_arm = PARTS.iter().find(|(number, _)| maker == "0x41" && *number == part);
    let maker = MAKERS.iter().find(|(number, _)| *number == maker).map_or(maker, |(_, name)| name);
    match by_arm {
        Some((_, name)) => format!("{maker} {name}"),
        None => format!("{maker} part {part}"),
    }
}

/// Returns the revision of a core as ARM writes it, such as ` r3p1`; nothing where it is not
/// reported.
fn revision(variant: Option<&str>, revision: Option<&str>) -> String {
    let variant =
        variant.and_then(|reported| u8::from_str_radix(reported.strip_prefix("0x")?, 16).ok());
    match (variant, revision) {
        (Some(variant), Some(revision)) => format!(" r{variant}p{revision}"),
        _ => String::new(),
    }
}

/// Returns the numbers under some keys, each with its key but the first, which is the maker's.
fn numbers(cpuinfo: &str, keys: &[&str]) -> Option<String> {
    let reported = keys.iter().map(|key| Some((*key, source::value(cpuinfo, key)?)));
    let reported: Vec<(&str, &str)> = reported.collect::<Option<_>>()?;
    let words = reported.iter().enumerate().map(|(place, (key, value))| match place {
        0 => (*value).to_owned(),
        _ => format!("{} {value}", key.trim_start_matches("cpu ")),
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what a CPU is called that is described so.
    fn check(cpuinfo: &str, called: &str) {
        assert_eq!(model(cpuinfo).as_str(), called);
    }

    #[test]
    fn a_cpu_of_x86_has_a_name() {
        check("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n", "AMD EPYC");
    }

    #[test]
    fn a_sandbox_that_hides_the_name_leaves_the_numbers() {
        let hidden = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n\
                      model name\t: unknown\nstepping\t: unknown\n";
        check(hidden, "AuthenticAMD family 25 model 17 stepping unknown");
    }

    #[test]
    fn a_core_for_arm_is_called_by_maker_part_and_revision() {
        let one = |maker: &str, part: &str| {
            format!(
                "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\n\
                 CPU implementer\t: {maker}\nCPU architecture: 8\nCPU variant\t: 0x3\n\
                 CPU part\t: {part}\nCPU revision\t: 1\n\n"
            )
        };
        check(&one("0x41", "0xd0c"), "ARM Neoverse-N1 r3p1");
        check(&one("0x41", "0xfff"), "ARM part 0xfff r3p1");
        check(&one("0xc0", "0xac3"), "Ampere part 0xac3 r3p1");
        check(&one("0x99", "0x001"), "0x99 part 0x001 r3p1");
        let both = [one("0x41", "0xd05"), one("0x41", "0xd05"), one("0x41", "0xd0b")].concat();
        check(&both, "ARM Cortex-A55 r3p1 and ARM Cortex-A76 r3p1");
        // A kernel of 32 bits names the generation alone.
        let named = format!("model name\t: ARMv8 Processor rev 1 (v8l)\n{}", one("0x41", "0xd08"));
        check(&named, "ARM Cortex-A72 r3p1");
    }

    #[test]
    fn other_architectures_are_called_as_their_kernels_do() {
        check("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported");
        check("processor\t: 0\nuarch\t\t: sifive,u74-mc\n", "sifive,u74-mc");
        check(
            "mvendorid\t: 0x489\nmarchid\t\t: 0x8\nmimpid\t: 0x7\n",
            "0x489 marchid 0x8 mimpid 0x7",
        );
        check("Model Name\t\t: Loongson-3A5000\n", "Loongson-3A5000");
    }

    #[test]
    fn what_reports_nothing_is_unknown() {
        check("", "unknown");
        check("processor\t: 0\nBogoMIPS\t: 100.00\n", "unknown");
    }
}
