//! What is measured: for each server the requests of a round, in their order.

use crate::bullmq;
use crate::calls::Call;
use crate::flags::Part;
use crate::servers::Kind;

/// How many jobs a request has at a time where it has many.
pub(crate) const MANY: usize = 100;

/// A step of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What it is called in the report. The same for what is compared; empty for what is not measured.
    pub(crate) name: &'static str,
    pub(crate) call: Call,
}

/// A workload: jobs go in and come out.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What `--only` calls it.
    pub(crate) part: Part,
    /// presque's steps, on whatever it runs.
    presque: &'static [Step],
    bare: &'static [Step],
    webdis: &'static [Step],
    pub(crate) bullmq: &'static [bullmq::Step],
}

impl Workload {
    /// The steps of a server, none if it has no part in this.
    pub(crate) fn steps(&self, kind: Kind) -> &'static [Step] {
        match kind {
            Kind::Presque | Kind::Also(_) | Kind::Fsync(_) | Kind::NativePresque | Kind::Spin => self.presque,
            Kind::Bare | Kind::NativeBare => self.bare,
            Kind::Webdis => self.webdis,
            Kind::BullMq => &[],
        }
    }

    /// Whether a server, or BullMQ, has a part in this.
    pub(crate) fn takes_part(&self, kind: Kind) -> bool {
        !self.steps(kind).is_empty() || kind == Kind::BullMq && !self.bullmq.is_empty()
    }
}

const fn bullmq(name: &'static str, call: bullmq::Call) -> bullmq::Step {
    bullmq::Step { name, call }
}

const fn step(name: &'static str, call: Call) -> Step {
    Step { name, call }
}

/// All of them.
pub(crate) const WORKLOADS: [Workload; 6] = [
    Workload {
        part: Part::Single,
        presque: &[step("insert", Call::Insert), step("fetch", Call::Fetch)],
        bare: &[step("insert", Call::Push), step("fetch", Call::Pop)],
        webdis: &[step("insert", Call::ListPush), step("fetch", Call::ListPop)],
        bullmq: &[],
    },
    Workload {
        part: Part::Batch,
        presque: &[
            step("insert 100", Call::InsertBatch(MANY)),
            step("fetch 100", Call::FetchBatch(MANY)),
        ],
        bare: &[],
        webdis: &[],
        bullmq: &[],
    },
    Workload {
        part: Part::V1,
        presque: &[
            step("/v1 insert", Call::InsertV1(1)),
            step("/v1 claim", Call::Claim(1)),
            step("/v1 ack", Call::Ack(1)),
        ],
        bare: &[],
        webdis: &[],
        bullmq: &[
            bullmq("/v1 insert", bullmq::Call::Add(1)),
            bullmq("", bullmq::Call::Process),
        ],
    },
    Workload {
        part: Part::V1Many,
        presque: &[
            step("/v1 insert 100", Call::InsertV1(MANY)),
            step("/v1 claim 100", Call::Claim(MANY)),
            step("/v1 ack 100", Call::Ack(MANY)),
        ],
        bare: &[],
        webdis: &[],
        bullmq: &[
            bullmq("/v1 insert 100", bullmq::Call::Add(MANY)),
            bullmq("", bullmq::Call::Process),
        ],
    },
    Workload {
        part: Part::Turn,
        presque: &[step("", Call::Insert), step("/v1 claim with ack", Call::Turn(1))],
        bare: &[],
        webdis: &[],
        bullmq: &[
            bullmq("", bullmq::Call::Add(1)),
            bullmq("/v1 claim with ack", bullmq::Call::Process),
        ],
    },
    Workload {
        part: Part::TurnMany,
        presque: &[
            step("", Call::InsertBatch(MANY)),
            step("/v1 claim with 100 acks", Call::Turn(MANY)),
        ],
        bare: &[],
        webdis: &[],
        bullmq: &[],
    },
];
