//! Power: what may change the CPU's speed while something is measured.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// The folder of the frequency policies.
const POLICIES: &str = "/sys/devices/system/cpu/cpufreq";

/// The folder of the power supplies.
const SUPPLIES: &str = "/sys/class/power_supply";

/// What may change the CPU's speed; settings that differ between CPUs are all reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Power {
    /// The frequency governor.
    pub governor: Fact,
    /// The frequency driver.
    pub driver: Fact,
    /// The preference between energy and performance.
    pub energy_performance_preference: Fact,
    /// `on` or `off`.
    pub turbo: Fact,
    /// The lowest frequency that is allowed, in kHz.
    pub frequency_khz_min: Fact,
    /// The highest frequency that is allowed, in kHz.
    pub frequency_khz_max: Fact,
    /// What puts an idle CPU to sleep.
    pub idle_driver: Fact,
    /// What decides how deep an idle CPU sleeps.
    pub idle_governor: Fact,
    /// The hottest sensor, in thousandths of a degree Celsius.
    pub temperature_millicelsius: Option<i64>,
    /// `yes` or `no`.
    pub on_battery: Fact,
}

impl Power {
    /// Reads the settings of this machine.
    pub(super) fn read() -> Self {
        let idle = |name: &str| source::line(format!("/sys/devices/system/cpu/cpuidle/{name}"));
        Self {
            governor: policies("scaling_governor"),
            driver: policies("scaling_driver"),
            energy_performance_preference: policies("energy_performance_preference"),
            turbo: turbo(),
            frequency_khz_min: policies("scaling_min_freq"),
            frequency_khz_max: policies("scaling_max_freq"),
            idle_driver: idle("current_driver"),
            idle_governor: idle("current_governor_ro").or_else(|| idle("current_governor")),
            temperature_millicelsius: temperature(),
            on_battery: on_battery(Path::new(SUPPLIES)),
        }
    }
}

/// Returns the different values of a setting over all frequency policies.
fn policies(setting: &str) -> Fact {
    let policies = source::numbered(POLICIES, "policy").unwrap_or_default();
    let values =
        policies.iter().map(|policy| source::line(format!("{POLICIES}/{policy}/{setting}")));
    let values: BTreeSet<String> = values.filter(Fact::is_known).map(String::from).collect();
    values.into_iter().collect::<Vec<_>>().join(", ").into()
}

/// Returns whether the CPU may exceed its nominal frequency.
fn turbo() -> Fact {
    let forbidden = source::number::<u8>("/sys/devices/system/cpu/intel_pstate/no_turbo");
    let allowed = source::number::<u8>(format!("{POLICIES}/boost"));
    match (forbidden, allowed) {
        (Some(0), _) | (None, Some(1)) => "on".into(),
        (Some(_), _) | (None, Some(_)) => "off".into(),
        (None, None) => Fact::default(),
    }
}

/// Returns the temperature of the hottest sensor.
fn temperature() -> Option<i64> {
    let folder = "/sys/class/thermal";
    let zones = source::numbered(folder, "thermal_zone")?;
    zones.iter().filter_map(|zone| source::number(format!("{folder}/{zone}/temp"))).max()
}

/// Returns whether a battery is being emptied. A machine without one is not on battery.
fn on_battery(folder: &Path) -> Fact {
    let Some(supplies) = source::names(folder) else { return Fact::default() };
    let empties = supplies.iter().any(|supply| {
        let says = |name: &str| source::line(folder.join(supply).join(name));
        let of_a_device = says("scope").as_str() == "Device";
        !of_a_device && says("status").as_str() == "Discharging"
    });
    if empties { "yes".into() } else { "no".into() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_battery_counts_only_while_it_is_emptied_and_not_that_of_a_mouse() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(on_battery(root.path()).as_str(), "no");
        let battery = root.path().join("BAT0");
        fs::create_dir(&battery).unwrap();
        for (status, reported) in [("Charging", "no"), ("Discharging", "yes")] {
            fs::write(battery.join("status"), status).unwrap();
            assert_eq!(on_battery(root.path()).as_str(), reported);
        }
        fs::write(battery.join("scope"), "Device").unwrap();
        assert_eq!(on_battery(root.path()).as_str(), "no");
        assert_eq!(on_battery(&root.path().join("none")), Fact::default());
    }
}
