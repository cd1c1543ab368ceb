//! The configuration that the kernel was built with, where the kernel or its package reports it.

use std::collections::HashMap;

use procfs::ConfigSetting;

use super::fact::Fact;

/// The settings, if they could be read. One that is not among them is off.
#[derive(Debug, Default)]
pub(super) struct KernelConfig(Option<HashMap<String, ConfigSetting>>);

impl KernelConfig {
    /// Reads `/proc/config.gz`, or what lies beside the kernel in `/boot`.
    pub(super) fn read() -> Self {
        Self(procfs::kernel_config().ok())
    }

    /// Returns the settings that a text holds.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        use procfs::FromRead;

        Self(procfs::KernelConfig::from_read(text.as_bytes()).ok().map(|config| config.0))
    }

    /// Returns whether it could be read.
    pub(super) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Returns `on` or `off` for a setting.
    pub(super) fn switch(&self, name: &str) -> Fact {
        self.0.as_ref().map(|_| if self.is_on(name) { "on" } else { "off" }).into()
    }

    /// Returns the ticks a second.
    pub(super) fn hz(&self) -> Option<u64> {
        match self.0.as_ref()?.get("CONFIG_HZ")? {
            ConfigSetting::Value(text) => text.parse().ok(),
            ConfigSetting::Yes | ConfigSetting::Module => None,
        }
    }

    /// Returns how CPU time is split into user and system time. With `generic` it is so only on
    /// CPUs that `nohz_full` names.
    pub(super) fn virt_cpu_accounting(&self) -> Fact {
        let ways = [
            ("CONFIG_VIRT_CPU_ACCOUNTING_NATIVE", "native"),
            ("CONFIG_VIRT_CPU_ACCOUNTING_GEN", "generic"),
            ("CONFIG_TICK_CPU_ACCOUNTING", "ticks"),
        ];
        self.first_on(&ways).into()
    }

    /// Returns how the kernel may be preempted.
    pub(super) fn preempt(&self) -> Fact {
        let ways = [
            ("CONFIG_PREEMPT_RT", "real-time"),
            ("CONFIG_PREEMPT_LAZY", "lazy"),
            ("CONFIG_PREEMPT_VOLUNTARY", "voluntary"),
            ("CONFIG_PREEMPT_NONE", "none"),
            ("CONFIG_PREEMPT", "full"),
        ];
        let dynamic = if self.is_on("CONFIG_PREEMPT_DYNAMIC") { ", dynamic" } else { "" };
        self.first_on(&ways).map(|way| format!("built as {way}{dynamic}")).into()
    }

    /// Returns the word for the first setting that is on.
    fn first_on(&self, ways: &[(&str, &'static str)]) -> Option<&'static str> {
        ways.iter().find(|(name, _)| self.is_on(name)).map(|&(_, word)| word)
    }

    /// Returns whether a setting is known to be on.
    fn is_on(&self, name: &str) -> bool {
        let setting = self.0.as_ref().and_then(|settings| settings.get(name));
        matches!(setting, Some(ConfigSetting::Yes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_configuration_does_not_name_is_off_and_without_one_it_is_unknown() {
        let text = "# CONFIG_B is not set\nCONFIG_A=y\nCONFIG_HZ=250\nCONFIG_PREEMPT_NONE=y\n\
                    CONFIG_PREEMPT_DYNAMIC=y\nCONFIG_TICK_CPU_ACCOUNTING=y\n";
        let config = KernelConfig::of(text);
        let reported = [config.switch("CONFIG_A"), config.switch("CONFIG_B"), config.preempt()];
        assert_eq!(reported.each_ref().map(Fact::as_str), ["on", "off", "built as none, dynamic"]);
        assert_eq!(config.virt_cpu_accounting().as_str(), "ticks");
        assert_eq!(config.hz(), Some(250));

        let unknown = KernelConfig::default();
        assert_eq!(unknown.switch("CONFIG_A"), Fact::default());
        assert_eq!((unknown.preempt(), unknown.hz()), (Fact::default(), None));
    }
}
