//! Sets the stack size of the policy: expressions nest, up to a bound.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=524288");
    }
}
