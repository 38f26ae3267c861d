//! Which route needs which scope: one table for all dialects.

use std::fmt;

/// What a key may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Put jobs in.
    Insert,
    /// Take jobs and finish them; register as a worker; read a stream of messages.
    Work,
    /// Look at queues, jobs, workers and counts. Takes nothing.
    Read,
    /// Change settings, stop, delete, redrive, cancel.
    Admin,
}

impl Scope {
    /// All scopes, in the order of their worth.
    pub const ALL: [Self; 4] = [Self::Insert, Self::Work, Self::Read, Self::Admin];

    /// Its name in lists of keys and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Work => "work",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! operations {
    ($($name:ident = $scope:ident, $route:literal;)+) => {
        /// What a request asks for: a method of a route, and where the body says what is to be done, that.
        ///
        /// A handler gets the queues that it works on from [`Caller`](super::Caller), which asks for the operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $(#[doc = concat!("`", $route, "`")] $name,)+
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The method and the path, with the name of the dialect where two have the route.
            #[must_use]
            pub const fn route(self) -> &'static str {
                match self { $(Self::$name => $route,)+ }
            }

            /// What a key must be for.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$name => Scope::$scope,)+ }
            }
        }
    };
}

operations! {
    // The presque dialect.
    PresqueInsert = Insert, "POST /q/{queue}";
    PresqueFetch = Work, "GET /q/{queue}";
    PresqueInsertFailed = Work, "PUT /q/{queue}";
    PresqueDelete = Admin, "DELETE /q/{queue}";
    PresqueInsertBatch = Insert, "POST /qb/{queue}";
    PresqueFetchBatch = Work, "GET /qb/{queue}";
    PresqueShowStatus = Read, "GET /control/{queue}";
    PresqueSetStatus = Admin, "POST /control/{queue}";
    PresqueListQueues = Read, "GET /status/";
    PresqueShowQueue = Read, "GET /status/{queue}";
    PresqueCount = Read, "GET /j/{queue}";
    PresqueListWorkers = Read, "GET /w/";
    PresqueShowWorker = Read, "GET /w/?worker_id=";
    PresqueShowQueueWorkers = Read, "GET /w/?queue_name=";
    PresqueRegister = Work, "POST /w/{queue}";
    PresqueUnregister = Work, "DELETE /w/{queue}";

    // The RestMQ dialect.
    RestmqPostAtRoot = Insert, "POST /";
    RestmqTakeAtRoot = Work, "GET /?queue=";
    RestmqPost = Insert, "POST /q/{queue} (value)";
    RestmqTake = Work, "GET /q/{queue} (callback)";
    RestmqDelete = Admin, "DELETE /q/{queue} (RestMQ)";
    RestmqListQueues = Read, "GET /q/ (RestMQ)";
    RestmqShowQueue = Read, "GET /j/{queue} (callback)";
    RestmqShowPolicy = Read, "GET /p/{queue}";
    RestmqSetPolicy = Admin, "POST /p/{queue}";
    RestmqStats = Read, "GET /stats/";
    RestmqStatsOfQueue = Read, "GET /stats/{queue}";
    RestmqListStatus = Read, "GET /control/ (callback)";
    RestmqShowStatus = Read, "GET /control/{queue} (callback)";
    RestmqSetStatus = Admin, "POST /control/{queue} (form)";
    RestmqCommandAdd = Insert, "POST /queue (add)";
    RestmqCommandGet = Read, "POST /queue (get)";
    RestmqCommandTake = Work, "POST /queue (take)";
    RestmqCommandDel = Admin, "POST /queue (del)";
    RestmqCallSet = Insert, "POST /xmlrpc (set)";
    RestmqCallGet = Work, "POST /xmlrpc (get)";
    RestmqSubscribe = Work, "GET /c/{queue}";

    // The API of `/v1`.
    Insert = Insert, "POST /v1/queues/{queue}/jobs";
    ListJobs = Read, "GET /v1/queues/{queue}/jobs";
    ShowJob = Read, "GET /v1/queues/{queue}/jobs/{id}";
    CancelJob = Admin, "DELETE /v1/queues/{queue}/jobs/{id}";
    SearchJobs = Read, "POST /v1/queues/{queue}/jobs/search";
    RedriveJobs = Admin, "POST /v1/queues/{queue}/jobs/redrive";
    PromoteJobs = Admin, "POST /v1/queues/{queue}/jobs/promote";
    CancelJobs = Admin, "POST /v1/queues/{queue}/jobs/cancel";
    DeleteJobs = Admin, "POST /v1/queues/{queue}/jobs/delete";
    Claim = Work, "POST /v1/queues/{queue}/claims";
    ClaimOfMany = Work, "POST /v1/claims";
    UseReceipt = Work, "POST /v1/queues/{queue}/claims/{receipt}/{verb}";
    UseReceipts = Work, "POST /v1/queues/{queue}/claims/{verb}";
    ListQueues = Read, "GET /v1/queues";
    ShowQueue = Read, "GET /v1/queues/{queue}";
    ConfigureQueue = Admin, "PUT /v1/queues/{queue}";
    DeleteQueue = Admin, "DELETE /v1/queues/{queue}";
    DeleteAllDead = Admin, "DELETE /v1/queues/{queue}/dead";
    DeleteDead = Admin, "POST /v1/queues/{queue}/dead/delete";
    Redrive = Admin, "POST /v1/queues/{queue}/dead/redrive";
    GroupDead = Read, "GET /v1/queues/{queue}/dead/groups";
    ShowHistory = Read, "GET /v1/queues/{queue}/history";
    ShowOverview = Read, "GET /v1/overview";
    ListWorkers = Read, "GET /v1/workers";
    ShowKey = Read, "GET /v1/key";
    ShowHealth = Read, "GET /v1/health";

    // Beside the dialects.
    ShowMetrics = Read, "GET /metrics";
}
