"""The limits of the core: how much of each thing is accepted, kept, tried or waited for, and why that much.

The limits of templates and of the Caddyfile's syntax are in `gotemplate.limits` and `caddyfile.MAX_DEPTH`. Pauses and
intervals that only decide when something is done again stay with the code that does it.

Unless a comment says otherwise, a text is counted in characters and a time in seconds.
"""

# --- calls to an engine ---

# How long a pass waits for a response. A response that comes later starts another pass.
ENGINE_PATIENCE = 0.3
# How long the first pass waits for one of several engines. The sites of the others do not wait for one that hangs.
FIRST_PATIENCE_OF_SEVERAL = 2.0
# A call that takes longer has failed. The engine usually answers within a second.
ENGINE_CALL_TIMEOUT = 10
# Status line and headers of a response, in bytes. The engine sends some hundred.
MAX_RESPONSE_HEAD = 64 * 1024
# Connections to an engine that are kept open: enough for all calls that may be open at once (MAX_OPEN_INSPECTS and some
# lists), as each further one would be closed after its call, with a warning. There are as many as calls were open at once.
MAX_ENGINE_CONNECTIONS = 288
# Connections at once to an engine over ssh: servers refuse more than ten that are not logged in yet (MaxStartups of sshd).
MAX_SSH_CONNECTIONS = 6
# Threads that wait for the next call.
MAX_IDLE_ENGINE_THREADS = 8
# Inspects that are waited for. More at once only load the engine.
MAX_INSPECTS_AT_ONCE = 8
# Inspects that hang, and those that are waited for. Each holds a connection, or a thread.
MAX_OPEN_INSPECTS = 256
# Lists of single containers that hang, before the next one waits for a response.
MAX_LOOKS_AT_ONCE = 4
# Containers listed by id in one call. The ids are part of the URL, whose length is limited; for more, all are listed.
MAX_LISTED_BY_ID = 256
# Containers that are looked at again by id after a while; for more, all are listed.
MAX_RECHECKS = 10
# Events that are waiting. If there are more, the oldest are lost and everything is listed.
MAX_WAITING_EVENTS = 10_000
# Containers without our labels that `check` inspects to find out whether they are configured for another proxy.
MAX_INSPECTED_UNLABELLED = 100

# --- services of plugins ---

# Changes of a service's state in one pass. What comes then is a fault of the service.
MAX_STATE_CHANGES = 1

# --- servers of a controller ---

# How long a pass waits for one server to load a configuration, or to refuse it, before it tries another server.
SERVER_PATIENCE = 10.0
# How long a pass waits for one server alone. After that it asks another one too, and the first response counts.
SERVER_HEDGE = 1.0
# How long a configuration that was tried on a server may stay there without a decision about it.
SERVER_TRIAL = 30.0
# Servers that a pass asks before it takes a refusal for everybody's.
MAX_ASKED_SERVERS = 5
# Terms of the lock on servers: no controller ever gets as far, so a mark with more is none.
MAX_TERM = 10**12

# --- labels of one resource (compile) ---

# People write a few dozen, generators a few hundred.
MAX_LABELS = 4096
# A key becomes directives and their names, which are short.
MAX_LABEL_KEY = 4096
# A value may be a file, such as a certificate or a page.
MAX_LABEL_VALUE = 1024 * 1024
# All keys and values together: one value of the largest size, or many small ones.
MAX_LABEL_TEXT = MAX_LABEL_VALUE + MAX_LABEL_KEY
# Keys of a container that is gone may be kept for the next one that has the same, if they are no longer than this together.
MAX_KEPT_KEYS = 16 * 1024
# References to environment variables. Caddy copies the whole file for each one that it fills in.
MAX_LABEL_VARIABLES = 100
# All templates together. Parsing templates takes longer than anything else that is done with a label.
MAX_TEMPLATE_TEXT = 32 * 1024
# Warnings about one resource; more of them say nothing new.
MAX_LABEL_WARNINGS = 20
# Compiled templates that are kept for the next pass. Bounds the memory that ever-changing labels can take.
MAX_KEPT_TEMPLATES = 1024 * 1024
# Random values and times that the labels of one resource take, and resources whose values are kept.
MAX_KEPT_VALUES = 1_000
MAX_KEPT_RESOURCES = 10_000

# --- results of plugins ---

# A text that a template function returns becomes part of a label's value.
MAX_RESULT_TEXT = MAX_LABEL_VALUE
# Elements of all lists and mappings in one result.
MAX_RESULT_ELEMENTS = 100_000
# Lists and mappings within each other. What Docker reports about a container is less than 10 deep.
MAX_RESULT_DEPTH = 32
# Labels that a transformer returns. Above MAX_LABELS, so that the error about the labels names the resource's own.
MAX_TRANSFORMED_LABELS = 20_000
# Nested calls within a plugin; Python's own default.
MAX_PLUGIN_FRAMES = 1000
# A call that takes longer is reported, because nothing else is done in the meantime.
SLOW_PLUGIN_CALL = 1.0
# Problems of one service that are reported at the same time.
MAX_SERVICE_PROBLEMS = 20
# Placeholders of one site whose values plugins may note. Bounds the memory that a site takes.
MAX_PLACEHOLDERS = 1024

# --- one fragment with its imports written out (admission) ---

# Each of these is far above what people write, and Caddy still loads a configuration of that size quickly.
MAX_EXPANDED_TEXT = 2 * 1024 * 1024
MAX_SITE_ADDRESSES = 1_000
# Each port is a listener, and Caddy opens each of them at every load.
MAX_SITE_PORTS = 256
# Ports at each address that `bind` names.
MAX_LISTENERS = 1_000
# Imports and blocks within each other: blocks as deep as the parser allows, and room for imports between them.
MAX_EXPANDED_DEPTH = 128

# All large fragments together. Caddy reads a configuration as a whole, in a time that grows with its size: half a second
# for one of the largest size. A change may have to wait for that twice: for the load that is under way, and for its own.
MAX_EXPANDED_TEXT_TOGETHER = 2 * 1024 * 1024
MAX_SITE_ADDRESSES_TOGETHER = 3_000
MAX_EXPANDED_LINES_TOGETHER = 8_000
# A fragment up to this size is not large; any number of them is accepted.
FREE_EXPANDED_TEXT = 16 * 1024
FREE_SITE_ADDRESSES = 50
FREE_EXPANDED_LINES = 200

# --- finding conflicts (admission) ---

# Paths of an older site that another site is compared with: a fraction of a second.
MAX_COMPARED_PATHS = 100_000
# Matchers that requests of one site are tried with: simple ones, or characters of patterns.
MAX_TRIED_MATCHERS = 200_000
# Hosts, paths and words of one matcher from which requests to try are made.
MAX_TRIED_VALUES = 8
# Sites that are kept as Caddy read them, in case that they come again while a refusal is searched for.
MAX_KEPT_CONTENTS = 4_096
# Requests to try that come to one handler.
MAX_SAMPLES = 64
# A regular expression that takes more steps, of eight instructions each, counts as one that may match anything.
MAX_REGEXP_STEPS = 400
# The same for an `expression` matcher that is longer or deeper.
MAX_EXPRESSION_TEXT = 4096
MAX_EXPRESSION_DEPTH = 30

# --- work that a configuration makes for Caddy (admission) ---

# Health checks per second, of all upstreams of a proxy: one each millisecond.
MAX_HEALTH_CHECKS_PER_SECOND = 1_000
# Retries of one request without a pause, and the pause in seconds from which on any number is fine.
MAX_RETRIES = 1_000
MIN_TRY_INTERVAL = 0.01
# The cost of one wrong password. A bcrypt of 2**18 rounds takes 15 seconds.
MAX_BCRYPT_COST = 18
# For argon2id, in KiB, and in KiB times passes.
MAX_ARGON_MEMORY = 256 * 1024
MAX_ARGON_WORK = 4 * MAX_ARGON_MEMORY

# --- what Caddy rejects (quarantine) ---

# New resources that are adapted one by one to find the one that leads to what is forbidden.
MAX_ADAPTED_ALONE = 128

# Small texts whose findings are remembered.
MAX_KNOWN_FINDINGS = 256

# Retries of rejected fragments together. More only if each of them is accepted.
MAX_RETRIED_TOGETHER = 128
# From so many top-level blocks on, Caddy adapts only those that are new, and at most so many sites in one call: the time
# that it takes grows faster than their number.
SPLICED_FROM = 32
MAX_ADAPTED_TOGETHER = 256
# Plain sites that come or go together and are put into the last document or taken out of it; for more, all is put together.
MAX_SITES_PUT_IN = 128
# From so many routes of one server on, they stand in branches of so many. Caddy searches lists of more than 100 hosts by
# halves. It prepares all routes of a branch for each request to one of them, so a branch has leaves of few. Another level
# would make a load of 10,000 sites a tenth to a fifth longer, and requests no faster.
BRANCHES_FROM = 256
BRANCH_SIZE = 128
LEAF_SIZE = 16
# Kinds of plain sites of one server that can be added without a load: each costs a request to an unknown host a look.
MAX_EXPRESS_SHAPES = 16
# Names with certificates beside which new ones are added without a load. Caddy looks for each of them among all of them.
MAX_EXPRESS_CERTIFICATES = 1_000
# A handshake for which Caddy obtains a certificate.
MAX_HANDSHAKE_TIME = 60.0
# Sites that are not yet part of the configuration: Caddy reads a folder for each request to one of them.
MAX_EXPRESS_SITES = 1_000
# They become part of it when none has been added for so many seconds.
EXPRESS_CALM = 60.0
# Addresses of one site together: they are the name of a file, which may have 255 characters.
MAX_EXPRESS_ADDRESSES = 200
# A site that has ended stays in the configuration for so many seconds: a container that is replaced is back by then.
EXPRESS_ENDED = 15.0
# What requests that have begun may still look for is kept for so many seconds.
EXPRESS_KEPT = 5.0
# A Caddy that may open fewer files is warned about.
FEW_OPEN_FILES = 4_096
# Fragments that Caddy's error points to and that are tried alone. If more are wrong, halving is faster.
MAX_TRIED_ALONE = 3
# Fragments that are left out in turn if Caddy refuses without a reason what it serves.
MAX_LEFT_OUT_ALONE = 8
# Seconds for which what is served goes before what is new, if Caddy refuses without a reason what it serves.
MAX_SERVED_FIRST = 60.0
# Labels of a rejected fragment that are tried to find the wrong one. Each starts Caddy's program once or twice.
MAX_TRIED_LABELS = 50
# Time for a search. What has not been found by then is left out, and the rest of the configuration is loaded.
MAX_SEARCH_TIME = 1.0
# A reason may refer to the reason of another fragment, and so on.
MAX_REASON_DEPTH = 4
# Characters of Caddy's message that are kept if a plugin passes it on: Caddy names the cause at its end.
MAX_ERROR_TEXT = 2_000
# Routes that are validated together if Caddy refuses one of them: each refusal costs one load of so many.
LOADED_TOGETHER = 32

# Containers that use the network of one another in a row. A longer chain is a circle, which only a document written by hand has.
MAX_NETWORK_CHAIN = 8

# --- Compose ---

# `docker compose config`, which reads the files of a project and may fetch those that it includes.
COMPOSE_TIMEOUT = 60.0

# --- Caddy ---

# Memory in bytes, and time for one text, of the Caddy that adapts fragments. 256 plain sites take 15 ms and a few MiB; Go
# itself has 90 MiB in use before the first one.
ADAPTER_MEMORY = 192 * 1024 * 1024
ADAPTER_PATIENCE = 3.0
# It may take so many times as long where it waits for a processor itself: when a machine boots, everything starts at once.
ADAPTER_WAITS = 10
# Memory in bytes of the Caddy that adapts and validates whole configurations for commands such as `check`.
VALIDATOR_MEMORY = 2 * 1024 * 1024 * 1024

# Adapting or validating a configuration with Caddy's program.
CADDY_COMMAND_TIMEOUT = 60.0
# Bytes of a response that `dockcaddy try` shows.
MAX_EXAMPLE_BODY = 200
# `caddy list-modules`, which reads nothing.
CADDY_MODULES_TIMEOUT = 10.0
# Bytes of the path of a unix socket: https://man7.org/linux/man-pages/man7/unix.7.html. Of a folder in which there are folders
# with sockets.
MAX_SOCKET_PATH = 107
MAX_SOCKET_FOLDER = 70
# Bytes; a disk with less is full. SQLite needs a page of 4096 bytes at least, and gives some back after a failure.
MIN_ROOM_ON_DISK = 1 << 16
# Different lines of Caddy's log that are remembered in order not to repeat them.
MAX_REMEMBERED_LOG_LINES = 1000

# --- text for people ---

# Retries of one request to a Swarm service; each may take Caddy's dial timeout, 3 s.
MAX_SERVICE_RETRIES = 10
# Levels of ! and ( in a constraint; each takes Python frames.
MAX_CONSTRAINT_DEPTH = 100
# Names in a message: of the valid ones after a name that is not known, and of examples.
MAX_KNOWN_NAMES = 10
MAX_EXAMPLES = 3
# Changes of one pass that get a line each. For more than that, one line has the number.
MAX_SINGLE_LINES = 10
# A secret of fewer characters is not hidden, as its text is in other texts by chance.
MIN_SECRET = 4
# How similar two names are, from 0 to 1, for one to be suggested in place of the other.
MIN_SIMILARITY = 0.75

# --- memory ---

# New objects after which Python looks for reference cycles; its own default is 700. Thousands of containers make millions of
# objects that stay and no cycles, and a third of the time to start was spent on looking.
OBJECTS_BETWEEN_COLLECTIONS = 50_000
# So often it looks at new objects only before it looks at those that stayed; its own default is 10.
COLLECTIONS_OF_NEW_OBJECTS = 25
# Percent by which the memory of our Caddy grows before it is searched for garbage, unless the environment has GOGC; Go's own
# default is 100. A request takes a sixth less processor time. Where memory is limited, Caddy sets Go's limit by that.
CADDY_GOGC = 200

# --- status ---

# Containers without a site that are shown, of one engine. They take memory, and nobody reads more.
MAX_UNSERVED = 2_000
# Events that are kept: some days of a busy machine.
MAX_HISTORY = 500
# A certificate is near its end when less than this part of its time is left: Caddy renews it when a third is left.
MAX_PART_LEFT = 1 / 6
# Files of certificates that are read.
MAX_CERTIFICATES = 10_000
# Loads between two passes that are counted. A search for a refused fragment makes dozens.
MAX_LOADS = 1_000
# Events that wait for a slow listener. The oldest are dropped, but none of the newest update.
MAX_EVENTS_FOR_LISTENER = 200
