//! What common packers write is accepted (F12, F13). Each packer is tried where it is installed.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::*;

/// Runs `script` in a folder with a small mini-program in `src`, and opens the `out.zip` that it makes. `None` when
/// `tool` is not installed.
fn packed_by(tool: &str, script: &str) -> Option<Result<Archive, Error>> {
    let installed = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        return None;
    }
    let dir = tempfile::tempdir().expect("a folder");
    write_app(&dir.path().join("src"));
    let status = Command::new("sh").args(["-ec", script]).current_dir(&dir).status().expect("a shell");
    assert!(status.success(), "{script}");
    Some(Archive::open_path(&dir.path().join("out.zip"), &Limits::default()))
}

fn write_app(dir: &Path) {
    fs::create_dir_all(dir.join("pages")).expect("a folder");
    fs::write(dir.join("app.json"), r#"{"pages":["pages/a"]}"#).expect("a file");
    fs::write(dir.join("pages/a.js"), "Page({})\n".repeat(1000)).expect("a file");
    fs::write(dir.join("empty"), "").expect("a file");
}

#[track_caller]
fn accepts(tool: &str, script: &str) {
    let Some(opened) = packed_by(tool, script) else { return };
    let archive = opened.expect(script);
    assert_eq!(archive.files().len(), 3, "{script}");
    assert_eq!(archive.file("pages/a.js").expect("a page").size, 9000);
}

#[test]
fn f12_info_zip_is_accepted_into_a_file_and_into_a_pipe() {
    for script in [
        "cd src; zip -qr ../out.zip .",
        "cd src; zip -qr - . | cat > ../out.zip",
        "cd src; zip -q0r ../out.zip .",
        "cd src; zip -q -fz -r ../out.zip .",
    ] {
        accepts("zip", script);
    }
}

#[test]
fn f12_jar_and_git_archive_are_accepted() {
    accepts("jar", "jar cfM out.zip -C src .");
    accepts(
        "git",
        "cd src; git init -q; git add .; git -c user.name=a -c user.email=a@example.com commit -qm a; git archive -o ../out.zip HEAD",
    );
}

/// A script that writes with Python's zipfile; `%` is replaced by the expression that opens the archive.
const PYTHON: &str = "
import os, zipfile
class Pipe:
    def __init__(self, file): self.file = file
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
with open('out.zip', 'wb') as file, % as zip:
    for dir, _, names in os.walk('src'):
        for name in names:
            path = os.path.join(dir, name)
            with zip.open(os.path.relpath(path, 'src'), 'w', force_zip64=ZIP64) as out: out.write(open(path, 'rb').read())
";

#[test]
fn f13_python_is_accepted_seeking_and_streaming_with_and_without_zip64() {
    for open in ["zipfile.ZipFile(file, 'w', METHOD)", "zipfile.ZipFile(Pipe(file), 'w', METHOD)"] {
        for (method, zip64) in [("0", "False"), ("8", "False"), ("0", "True"), ("8", "True")] {
            let script = PYTHON.replace('%', open).replace("METHOD", method).replace("ZIP64", zip64);
            accepts("python3", &format!("python3 - <<'END'\n{script}\nEND"));
        }
    }
}

#[test]
fn f15_p7zip_is_accepted_which_writes_its_system_into_the_version() {
    for tool in ["7z", "7za", "7zz"] {
        for options in ["", "-mx=0", "-mcu=on"] {
            accepts(tool, &format!("cd src; {tool} a -tzip {options} ../out.zip . > ../log"));
        }
    }
}

#[test]
fn f12_javas_jar_is_accepted() {
    accepts("jar", "cd src; jar cfM ../out.zip .");
}
