#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::{
    fs::{self, File},
    time::UNIX_EPOCH,
};

use berth_base::clock::Millis;
use object_store::memory::InMemory;
use tempfile::TempDir;

use super::*;

const LIST: &str = "d1\nd2\n";

fn local(folder: &TempDir) -> Blobs {
    Blobs::open(&BlobConfig::default(), folder.path(), &folder.path().join("cache")).unwrap()
}

/// A store whose blobs are no files, as those in S3.
fn remote(folder: &TempDir) -> Blobs {
    Blobs { store: Arc::new(InMemory::new()), local: None, ..local(folder) }
}

async fn kept(blobs: &Blobs) -> Digest {
    blobs.keep_bytes(Bytes::from_static(LIST.as_bytes())).await.unwrap()
}

fn path_of(folder: &TempDir, digest: &Digest) -> PathBuf {
    folder.path().join("blobs/sha256").join(&digest.as_str()[..2]).join(digest.as_str())
}

async fn read(blobs: &Blobs, digest: &Digest) -> String {
    std::io::read_to_string(blobs.file(digest).await.unwrap()).unwrap()
}

/// Sets the time of a file back to 2020.
fn make_old(file: &Path) {
    let then = UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
}

#[tokio::test]
async fn f57_bytes_that_are_missing_or_damaged_are_put_again() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, bytes) = (local(&folder), Bytes::from_static(LIST.as_bytes()));
    let digest = kept(&blobs).await;
    let blob = path_of(&folder, &digest);
    for damage in ["d1\n", "d1\nd3\n", ""] {
        fs::write(&blob, damage).unwrap();
        blobs.heal(bytes.clone()).await.unwrap();
        assert_eq!(fs::read_to_string(&blob).unwrap(), LIST, "{damage:?}");
    }
    fs::remove_file(&blob).unwrap();
    blobs.heal(bytes).await.unwrap();
    assert_eq!(fs::read_to_string(&blob).unwrap(), LIST);
}

#[tokio::test]
async fn f64_bytes_that_are_gone_once_they_are_named_are_put_again() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, bytes) = (local(&folder), Bytes::from_static(LIST.as_bytes()));
    let spooled = blobs.spool(futures_util::stream::iter([Ok::<_, Error>(bytes.clone())]), 1 << 20).await.unwrap();
    blobs.keep(&spooled).await.unwrap();
    let blob = path_of(&folder, &spooled.digest);
    fs::remove_file(&blob).unwrap();
    blobs.keep_still(&spooled).await.unwrap();
    assert_eq!(fs::read_to_string(&blob).unwrap(), LIST);
    fs::remove_file(&blob).unwrap();
    blobs.keep_bytes_still(bytes).await.unwrap();
    assert_eq!(fs::read_to_string(&blob).unwrap(), LIST);
}

#[tokio::test]
async fn f53_f23_a_torn_copy_in_the_cache_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = remote(&folder);
    let digest = kept(&blobs).await;
    let copy = folder.path().join("cache/blobs").join(digest.as_str());
    assert_eq!(read(&blobs, &digest).await, LIST);
    for torn in ["d1\n", "d1\n\0\0\0", ""] {
        fs::write(&copy, torn).unwrap();
        assert_eq!(read(&blobs, &digest).await, LIST, "{torn:?}");
        assert_eq!(fs::read_to_string(&copy).unwrap(), LIST, "{torn:?}");
    }
    assert_eq!(read(&blobs, &digest).await, LIST, "the copy itself, from its beginning");
}

#[tokio::test]
async fn f23_bytes_that_change_while_they_are_read_do_not_get_into_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = remote(&folder);
    let digest = kept(&blobs).await;
    let key = blobs.key(&digest);
    blobs.store.put(&key, Bytes::from_static(b"d1\n").into()).await.unwrap();
    // As if they had been verified, and had changed after that.
    let now = Fingerprint::from(&blobs.store.head(&key).await.unwrap());
    blobs.verified().insert(digest.clone(), now);
    assert_eq!(blobs.file(&digest).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(fs::read_dir(folder.path().join("cache/blobs")).unwrap().count(), 0);
}

#[tokio::test]
async fn f55_old_copies_in_the_cache_are_swept_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = remote(&folder);
    let digest = kept(&blobs).await;
    let copy = folder.path().join("cache/blobs").join(digest.as_str());
    let in_2021 = Millis(1_609_459_200_000);
    let reader = blobs.file(&digest).await.unwrap();
    assert_eq!((blobs.sweep(in_2021).await.unwrap(), copy.exists()), (0, true), "it is young");
    make_old(&copy);
    assert_eq!((blobs.sweep(in_2021).await.unwrap(), copy.exists()), (0, false), "it is no scrap of an upload");
    assert_eq!(std::io::read_to_string(reader).unwrap(), LIST, "whoever reads it goes on");
    assert_eq!(read(&blobs, &digest).await, LIST);
}

#[tokio::test]
async fn f65_f23_a_backup_takes_no_damaged_blob_and_takes_it_when_it_is_healed() {
    let folder = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    let blobs = local(&folder);
    let digest = kept(&blobs).await;
    let (blob, copy) = (path_of(&folder, &digest), path_of(&to, &digest));
    let told = |copied, kept, damaged: &[&Digest]| Copied {
        copied,
        kept,
        damaged: damaged.iter().map(|digest| (*digest).clone()).collect(),
    };
    assert_eq!(blobs.copy_to(to.path()).await.unwrap(), told(1, 0, &[]));
    assert_eq!(blobs.copy_to(to.path()).await.unwrap(), told(0, 1, &[]));
    // The good copy stays while the blob is damaged, also where it has as many bytes.
    make_old(&copy);
    for damage in ["d1\nd3\n", "d1\n"] {
        fs::write(&blob, damage).unwrap();
        assert_eq!(blobs.copy_to(to.path()).await.unwrap(), told(0, 0, &[&digest]), "{damage:?}");
        assert_eq!(fs::read_to_string(&copy).unwrap(), LIST);
        assert_eq!(fs::read_dir(copy.parent().unwrap()).unwrap().count(), 1, "nothing half-written stays");
    }
    // An earlier backup took a damaged one, which was healed since then.
    fs::write(&copy, "d1\nd3\n").unwrap();
    make_old(&copy);
    blobs.heal(Bytes::from_static(LIST.as_bytes())).await.unwrap();
    assert_eq!(blobs.copy_to(to.path()).await.unwrap(), told(1, 0, &[]));
    assert_eq!(fs::read_to_string(&copy).unwrap(), LIST);
}
