//! Tests of compiling in a child process, which is this test binary itself.

use std::{
    fmt::Write as _,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::testing::*;
use crate::{CompileLimits, Compiler, Outcome, compile_child_main};
use berth_base::error::Code;

/// The main function of the child, which is started with the name of this test and a job.
#[test]
#[ignore = "the other tests start it in a process of its own"]
fn the_child() {
    let code = compile_child_main();
    // An `ExitCode` tells its number to nobody but the process's end.
    let code = if code == ExitCode::SUCCESS {
        0
    } else if code == ExitCode::from(2) {
        2
    } else {
        1
    };
    std::process::exit(code);
}

/// An engine that compiles in a child process.
pub(crate) fn lab(limits: CompileLimits) -> Lab {
    Lab::with(|config| {
        config.compiler = Compiler::Child {
            program: std::env::current_exe().unwrap(),
            arguments: ["--ignored", "--exact", "--nocapture", "tests::child::the_child"].map(Into::into).into(),
        };
        config.compile_limits = limits;
    })
}

#[tokio::test]
async fn a_policy_compiled_in_a_child_runs() {
    let lab = lab(CompileLimits::default());
    assert!(matches!(lab.gray(&Guest::gray()).await, Outcome::Verdict(_)));
}

#[tokio::test]
async fn f43_the_childs_refusal_reaches_the_caller_with_its_fields() {
    let lab = lab(CompileLimits::default());
    let refusal =
        lab.refusal(Guest { imports: String::new(), wit: None, ..Guest::guard() }.wasm()[..200].to_vec()).await;
    assert_eq!(refusal.code, Code::PolicyInvalid);
    let nothing =
        wit_component::ComponentEncoder::default().module(&wat::parse_str("(module)").unwrap()).unwrap().encode();
    let refusal = lab.refusal(nothing.unwrap()).await;
    assert_eq!(refusal.fields["exports"], serde_json::json!([]), "{refusal}");
}

/// Asserts that compiling ends in time. Returns the code of the refusal; `None` when the policy was compiled.
async fn defused(bomb: Guest, limits: CompileLimits) -> Option<Code> {
    let (lab, wasm, start) = (lab(limits.clone()), bomb.wasm(), Instant::now());
    let refusal = lab.engine.inspect(wasm).await.map(drop).err();
    assert!(start.elapsed() < Duration::from_secs(limits.wall_seconds + 5), "{:?}", start.elapsed());
    refusal.map(|refusal| refusal.code)
}

fn tight() -> CompileLimits {
    CompileLimits { cpu_seconds: 1, wall_seconds: 20, ..CompileLimits::default() }
}

/// A guest with many functions, each of which gives the optimiser some work.
fn many_functions(count: usize) -> Guest {
    let mut functions = String::new();
    for i in 0..count {
        let sum = format!("(i32.add (local.get 0) (i32.const {i}))");
        write!(functions, "(func (param i32) (result i32) (i32.mul {sum} (i32.xor {sum} (local.get 0))))").unwrap();
    }
    Guest::gray().extra(&functions)
}

#[tokio::test]
async fn f46_a_hundred_thousand_functions_hit_the_compilers_limits() {
    assert_eq!(defused(many_functions(100_000), tight()).await, Some(Code::PolicyCompile));
}

#[tokio::test]
async fn f46_a_compiler_that_needs_much_memory_is_stopped() {
    let limits = CompileLimits { memory_bytes: 400 << 20, cpu_seconds: 60, ..tight() };
    assert_eq!(defused(Guest::gray(), limits.clone()).await, None);
    assert_eq!(defused(many_functions(100_000), limits).await, Some(Code::PolicyCompile));
}

#[tokio::test]
async fn f46_much_machine_code_is_refused() {
    let limits = CompileLimits { code_bytes: 10_000, ..CompileLimits::default() };
    assert_eq!(defused(many_functions(1_000), limits).await, Some(Code::PolicyCompile));
}

#[tokio::test]
async fn f46_a_giant_br_table_is_no_danger() {
    let targets = "0 ".repeat(500_000);
    let bomb = Guest::gray().extra(&format!("(func (param i32) (block (br_table {targets} 0 (local.get 0))))"));
    assert!(matches!(defused(bomb, tight()).await, None | Some(Code::PolicyCompile | Code::PolicyInvalid)));
}

#[tokio::test]
async fn f46_deep_nesting_is_no_danger() {
    let bomb = Guest::gray().extra(&format!("(func {} {})", "block ".repeat(50_000), "end ".repeat(50_000)));
    assert!(matches!(defused(bomb, tight()).await, None | Some(Code::PolicyCompile | Code::PolicyInvalid)));
}

#[tokio::test]
async fn f46_a_child_that_does_not_end_is_killed() {
    let lab = Lab::with(|config| {
        config.compiler =
            Compiler::Child { program: "/bin/sh".into(), arguments: vec!["-c".into(), "exec sleep 60".into()] };
        config.compile_limits.wall_seconds = 1;
    });
    let start = Instant::now();
    assert_eq!(lab.refusal(Guest::gray().wasm()).await.code, Code::PolicyCompile);
    assert!(start.elapsed() < Duration::from_secs(5));
}
