//! The macros that export a type as the policy of a crate.

/// Exports a type that implements [`Policy`](crate::Policy) and [`Auditor`](crate::Auditor) as the policy of this
/// crate.
#[macro_export]
macro_rules! auditor {
    ($policy:ty) => {
        $crate::__export!($policy, Auditor, AUDITOR, __export_berth_policy_audit_1_0_0_cabi, audit);
    };
}

/// Exports a type that implements [`Policy`](crate::Policy) and [`Grayscale`](crate::Grayscale) as the policy of this
/// crate.
#[macro_export]
macro_rules! grayscale {
    ($policy:ty) => {
        $crate::__export!($policy, Grayscale, GRAYSCALE, __export_berth_policy_gray_1_0_0_cabi, gray);

        #[cfg(target_arch = "wasm32")]
        #[global_allocator]
        static ARENA: $crate::Arena = $crate::Arena::new();
    };
}

/// Exports a type that implements [`Policy`](crate::Policy) and [`Guard`](crate::Guard) as the policy of this
/// crate.
#[macro_export]
macro_rules! guard {
    ($policy:ty) => {
        $crate::__export!($policy, Guard, GUARD, __export_berth_policy_watch_1_0_0_cabi, watch);
    };
}

/// The exports exist in wasm only. Elsewhere the crate is an ordinary library, so that its tests can run.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($policy:ty, $trait:ident, $world:ident, $cabi:ident, $interface:ident) => {
        const _: () = {
            impl $crate::Exported for $policy {
                fn slot() -> &'static $crate::Slot<Self> {
                    static SLOT: $crate::Slot<$policy> = $crate::Slot::new();
                    &SLOT
                }
            }

            const fn belongs_to_the_world<P: $crate::$trait>() {}
            belongs_to_the_world::<$policy>();

            #[cfg(target_arch = "wasm32")]
            const _: () = {
                use $crate::bindings::{exports::berth::policy as wit, worlds};
                type Exports = $crate::Exports<$policy>;

        $crate::__export_berth_policy_about_1_0_0_cabi!(Exports with_types_in wit::about);
        $crate::__export_berth_policy_configure_1_0_0_cabi!(Exports with_types_in wit::configure);
        $crate::$cabi!(Exports with_types_in wit::$interface);

                #[used]
                #[unsafe(link_section = concat!("component-type:berth:", stringify!($interface)))]
                static WORLD: [u8; worlds::$world.len()] = worlds::array(worlds::$world);
            };
        };
    };
}
