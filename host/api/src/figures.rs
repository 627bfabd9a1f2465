//! The figures of this host on `/metrics`: the index, admissions, and the opinions of policies. They are read when the
//! page is asked for, so that counting costs checks nothing.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::Ordering},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

use berth_check::judge::OpinionCounts;
use berth_model::policy::{Description, OutcomeKind, figures::BOUNDS_MICROS};
use berth_work::app::App;

/// Reads the figures of a host.
pub struct Figures(pub Arc<App>);

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

/// The page under construction: encodes figures under a name, with or without labels.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        gauge.encode(self.0.encode_descriptor(name, help, None, gauge.metric_type())?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        counter.encode(self.0.encode_descriptor(name, help, None, counter.metric_type())?)
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Vec<(&'static str, &'l str)>, u64)>,
    ) -> fmt::Result {
        let mut family: MetricEncoder<'_> = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Page<'_> {
    /// Classes of times in microseconds, whose last one has no bound, as histograms of seconds.
    fn histograms<'l, const N: usize, const M: usize>(
        &mut self,
        name: &str,
        help: &str,
        bounds_micros: &[u64; N],
        values: impl IntoIterator<Item = (Vec<(&'static str, &'l str)>, &'l [u64; M], u64)>,
    ) -> fmt::Result {
        const SECOND: f64 = 1e6;
        let bounds = || bounds_micros.iter().map(|bound| *bound as f64 / SECOND).chain([f64::MAX]);
        let unit = Some(&Unit::Seconds);
        let mut family: MetricEncoder<'_> = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (labels, classes, sum_micros) in values {
            let buckets: Vec<_> = bounds().zip(classes.iter().copied()).collect();
            let mut one = family.encode_family(&labels)?;
            one.encode_histogram::<NoLabelSet>(sum_micros as f64 / SECOND, classes.iter().sum(), &buckets, None)?;
        }
        Ok(())
    }
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.index(&mut page)?;
        self.admissions(&mut page)?;
        self.policies(&mut page)?;
        self.guards(&mut page)?;
        let failed_open = self.0.audits.failed_open.load(Ordering::Relaxed);
        page.counter(
            "audit_evaluations_failed_open",
            "Evaluations by auditors without a verdict that let the version go on",
            failed_open,
        )?;
        page.counter(
            "check_records_lost",
            "Checks that were to be recorded and were not, because too many waited",
            self.0.checks.records.lost(),
        )?;
        page.counter(
            "device_marks_lost",
            "What became of devices of grayscale tasks, and was to be noted and was not, because too much waited",
            self.0.checks.marker.lost(),
        )?;
        self.logs(&mut page)?;
        self.webhooks(&mut page)
    }
}

impl Figures {
    fn index(&self, page: &mut Page<'_>) -> fmt::Result {
        let following = self.0.checks.live.following();
        let (mini_apps, host_apps) = self.0.checks.live.current().sizes();
        let age = self.0.db.now().0.saturating_sub_unsigned(following.as_of).max(0);
        page.gauge("index_event", "The event that the release index follows", following.seq)?;
        page.gauge("index_age_milliseconds", "Age of the release index at the most", age)?;
        page.gauge("index_mini_apps", "MiniApps in the release index", mini_apps as i64)?;
        page.gauge("index_host_apps", "Host apps in the release index", host_apps as i64)?;
        page.gauge("index_unready", "MiniApps with a policy or list that is not ready", following.unready as i64)?;
        page.counter("index_failures", "Rounds in which the index could not follow", following.failures)
    }

    fn admissions(&self, page: &mut Page<'_>) -> fmt::Result {
        let counts = self.0.checks.admitter.counts();
        let outcomes =
            [("admitted", counts.admitted), ("refused", counts.refused), ("unavailable", counts.unavailable)];
        let labelled = outcomes.map(|(outcome, count)| (vec![("outcome", outcome)], count));
        page.counters("admissions", "Devices that asked to be admitted, by outcome", labelled)?;
        page.counter("admission_transactions", "Transactions that admitted devices", counts.transactions)
    }

    fn logs(&self, page: &mut Page<'_>) -> fmt::Result {
        let logs = &self.0.logs;
        page.counter("log_entries", "Entries of logs that were kept", logs.figures.kept())?;
        let refused = logs.figures.refused().into_iter().map(|(reason, count)| (vec![("reason", reason)], count));
        page.counters("log_entries_refused", "Entries of logs that were not kept, by the reason", refused)?;
        page.gauge("log_queue_bytes", "Bytes of logs that wait to be written", logs.waiting_bytes() as i64)?;
        let export = &self.0.log_export;
        page.counter("log_exported", "Entries of logs that the receiver of the export took", export.exported())?;
        page.counter(
            "log_export_refused",
            "Entries of logs that the receiver of the export refused",
            export.refused(),
        )?;
        page.counter(
            "log_export_failures",
            "Requests that the receiver of the export could not take",
            export.failures(),
        )?;
        let behind = export.behind_seconds();
        page.gauge(
            "log_export_behind_seconds",
            "Age of the oldest entry that waits to be exported by this host",
            behind,
        )
    }

    fn webhooks(&self, page: &mut Page<'_>) -> fmt::Result {
        let (delivered, failed) = self.0.outbox.sender.counts();
        let labelled = [("delivered", delivered), ("failed", failed)];
        let labelled = labelled.map(|(outcome, count)| (vec![("outcome", outcome)], count));
        page.counters("webhook_sends", "Messages sent to webhooks, by outcome", labelled)
    }

    fn policies(&self, page: &mut Page<'_>) -> fmt::Result {
        let usage = self.0.policies.engine().pool_usage();
        page.gauge("policy_instances", "Grayscale policies that run", usage.instances as i64)?;
        page.gauge(
            "policy_instances_resting",
            "Instances of grayscale policies that wait to be asked again",
            usage.resting as i64,
        )?;
        page.gauge("policy_slots", "Grayscale policies that may run at the same time", i64::from(usage.slots))?;
        let index = self.0.checks.live.current();
        let mut said: BTreeMap<(&str, &'static str, &'static str), u64> = BTreeMap::new();
        for judge in index.tasks().flat_map(|task| &task.judges) {
            let mode = if judge.spec.enforce { "enforce" } else { "shadow" };
            for (opinion, count) in by_name(judge.tally.counts()) {
                *said.entry((&judge.spec.policy, mode, opinion)).or_default() += count;
            }
        }
        let labelled = said.iter().map(|((policy, mode, opinion), count)| {
            (vec![("policy", *policy), ("mode", *mode), ("opinion", *opinion)], *count)
        });
        page.counters("policy_opinions", "What the policies of living grayscale tasks said", labelled)?;
        self.evaluations(page)
    }

    /// How evaluations ended and how long they took, by versions of policies.
    fn evaluations(&self, page: &mut Page<'_>) -> fmt::Result {
        let policies = &self.0.policies;
        let named = |(digest, counts)| {
            let policy = policies.get(&digest)?;
            let Description { name, version, .. } = policy.description();
            Some((name.clone(), version.to_string(), counts))
        };
        let counted: Vec<_> = policies.board.by_version().into_iter().filter_map(named).collect();
        let of = |name, version| vec![("policy", name), ("version", version)];
        let ended = counted.iter().flat_map(|(name, version, counts)| {
            let labels =
                |kind: OutcomeKind| [of(name.as_str(), version.as_str()), vec![("outcome", kind.as_str())]].concat();
            OutcomeKind::ALL.iter().map(move |kind| (labels(*kind), counts.of(*kind)))
        });
        page.counters("policy_evaluations", "Evaluations by policies, by how they ended", ended)?;
        let beside =
            counted.iter().filter(|(.., counts)| !counts.shadow.is_empty()).flat_map(|(name, version, counts)| {
                let labels = |said| [of(name.as_str(), version.as_str()), vec![("said", said)]].concat();
                counts.shadow.named().map(|(said, count)| (labels(said), count))
            });
        page.counters("policy_shadow", "What grayscale policies in shadow said, beside what was decided", beside)?;
        let took =
            counted.iter().map(|(name, version, counts)| (of(name, version), &counts.classes, counts.sum_micros));
        page.histograms("policy_evaluation_duration", "How long evaluations by policies took", &BOUNDS_MICROS, took)
    }

    fn guards(&self, page: &mut Page<'_>) -> fmt::Result {
        let counts = self.0.guards.tally.counts();
        let labelled = counts.iter().map(|((policy, mode, said), count)| {
            (vec![("policy", policy.as_str()), ("mode", mode.as_str()), ("said", said.as_str())], *count)
        });
        page.counters("guard_looks", "What guards of grayscale tasks said when a window was over", labelled)
    }
}

fn by_name(counts: OpinionCounts) -> [(&'static str, u64); 5] {
    let OpinionCounts { admit, refuse, failed, trapped, limited } = counts;
    [("admit", admit), ("refuse", refuse), ("failed", failed), ("trapped", trapped), ("limited", limited)]
}
