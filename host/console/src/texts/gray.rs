//! Grayscale.

use berth_model::{
    check::{Branch, Outcome},
    rollout::{Cause, GrayTask, GuardSaid, ObjectKind},
};

use super::{Texts, grouped, texts};

texts! {
    new_gray_task = "New gray task" / "新建灰度任务";
    no_gray_tasks = "No gray task yet. A gray task gives a version to some devices before everybody gets it." / "还没有灰度任务。灰度任务可在全量发布前，先将版本下发给部分设备。";
    gray_none_here = "No gray task is in this state." / "没有处于该状态的灰度任务。";
    gray_begins_at = "Begin one on the page of a MiniApp:" / "请在小程序页面中新建：";
    until = "until" / "至";
    gray_all_tasks = "All gray tasks" / "全部灰度任务";
    conditions = "Who gets it" / "灰度条件";
    everybody_asked = "every device that asks" / "所有进行版本检查的设备";
    ends = "Ends" / "结束时间";
    gray_admitted = "Admitted devices" / "已灰度设备";

    gray_nothing_to_give = "There is nothing to give: a gray task takes an approved version above the online one." / "暂无可灰度的版本：灰度任务需要一个高于线上版本且已审核通过的版本。";
    gray_give = "Give the version" / "灰度版本";
    gray_instead_of(version) = "Other devices keep {version}, which is online." / "其他设备继续使用线上版本 {version}。";
    gray_runs_already(task, version) = "The devices of {task} keep {version}; others are offered the newest task first." / "{task} 已灰度的设备继续使用 {version}；其他设备优先匹配最新的任务。";
    gray_presets = "Begin with" / "常用";
    gray_preset_percent = "1 % of the devices" / "1% 的设备";
    gray_preset_list(list) = "the devices in the list {list}" / "名单 {list} 中的设备";
    gray_preset_host(host) = "the devices in {host}" / "{host} 中的设备";
    gray_preview_act = "See what it says" / "预览";
    gray_preview_says = "This task says" / "任务内容";
    gray_preview_link = "Link to the form as it is filled in" / "当前已填表单的链接";
    gray_preview_no_link = "It names devices or accounts, so there is no link to it: they stand in no address." / "表单中含有设备或账号，因此不提供链接。";
    gray_bound_cap(most) = "At most {most} devices get it: that is counted exactly." / "最多 {most} 台设备获取，精确计数。";
    gray_bound_share = "There is no cap. How many devices the share comes to is known only when they ask." / "未设上限。该比例对应多少设备，要等设备检查版本时才能知道。";
    gray_bound_none = "There is neither a cap nor a share: every device that asks and meets the conditions gets it." / "未设上限和比例：所有检查版本且满足条件的设备都会获取。";
    gray_bound_record(count, percent) = "{count} devices that asked are in the record of this MiniApp, which takes {percent} % of them. Conditions and the share take their part of all that ask."
        / "本小程序的检查记录中有 {count} 台设备（记录比例 {percent}%）；条件和比例会从所有检查版本的设备中选取。";
    gray_under_name = "… under the name" / "任务名称";
    gray_name_hint = "For people, 1 to 20 characters." / "供人识别，1–20 个字符。";
    gray_from = "… from" / "开始时间";
    gray_until = "… until" / "结束时间";
    gray_from_hint(zone) = "Now, or later; in the zone {zone}." / "立即或稍后开始；时区为 {zone}。";
    gray_until_hint = "Then devices return to the online version, unless it was published for everybody." / "届时若未全量发布，设备将恢复为线上版本。";
    gray_percent = "… to this share of the devices, in %" / "灰度比例（%）";
    gray_percent_hint = "The same devices each time they ask. It may rise later. Empty for all." / "每次检查命中的设备不变，之后可以调高。留空表示不限比例。";
    gray_cap = "… at most so many devices" / "灰度数量上限";
    gray_cap_hint = "Counted exactly; at the cap the task ends, and its devices keep the version. Empty for no cap." / "精确计数；达到上限后任务结束，已获取的设备保留该版本。留空表示不限。";
    gray_conditions_hint = "All conditions must hold. One that is left empty restricts nobody." / "须同时满足所有条件；留空的条件不作限制。";
    gray_in_host_apps = "… in these host apps" / "宿主应用及版本范围";
    gray_on_platforms = "… on these systems" / "操作系统及版本范围";
    gray_range_hint = "Version ranges have both ends in them: up to 17 takes 17.4.1, too. Empty for any." / "版本范围包含两端：最高 17 也包含 17.4.1。留空表示不限。";
    gray_oldest(of) = "{of}: oldest version" / "{of}：最低版本";
    gray_newest(of) = "{of}: newest version" / "{of}：最高版本";
    gray_on_networks = "… on these networks" / "网络类型";
    gray_other_networks = "Other networks" / "其他网络";
    gray_other_networks_hint = "With commas between them." / "用逗号分隔。";
    gray_to_objects = "… to these devices or accounts" / "灰度对象";
    gray_objects_hint = "One in each line, at most 1,000; longer ones are uploaded as a list. Whoever is in any of them gets the version." / "每行一个，最多 1000 个；更多请上传名单。命中任一名单即可获取版本。";
    gray_guids = "Installations (guid)" / "设备 GUID";
    gray_device_ids = "Devices (device_id)" / "自定义设备标识";
    gray_accounts = "Accounts" / "用户账号";
    gray_in_list(of) = "{of}: an uploaded list" / "{of}：已上传的名单";
    gray_no_list = "none" / "不使用";
    gray_guard = "Suspend it if the version fails more often than the online one" / "当失败率高于线上版本时自动暂停";
    gray_guard_hint = "The guard error-rate compares both every 5 minutes. It needs devices outside of the task." / "由 error-rate 策略每 5 分钟对比一次；需要有任务之外的设备作为参照。";
    gray_created(name) = "The gray task {name} was created." / "灰度任务 {name} 已创建。";

    gray_sentence(version, from, until) = "Gives {version} from {from} until {until} to:" / "自 {from} 至 {until}，将 {version} 下发给：";
    gray_sentence_ended(version, from, until) = "Was to give {version} from {from} until {until} to:" / "原定自 {from} 至 {until} 将 {version} 下发给：";
    gray_created_by(who, when) = "Created by {who}, {when}" / "由 {who} 创建于 {when}";
    gray_honoured = "Its devices keep the version." / "已获取的设备保留该版本。";
    gray_suspend = "Suspend" / "暂停";
    gray_suspend_effect(version, count) = "No new device gets {version}. The {count} devices that have it keep it." / "不再向新设备下发 {version}，已获取的 {count} 台设备保留该版本。";
    gray_suspended_now = "The gray task is suspended." / "灰度任务已暂停。";
    gray_resume = "Resume" / "继续";
    gray_resume_effect(version) = "New devices get {version} again, as the conditions say." / "符合条件的新设备将重新获取 {version}。";
    gray_resumed = "The gray task goes on." / "灰度任务已继续。";
    gray_end = "End" / "结束";
    gray_end_effect(count) = "The {count} devices that have the version return to the online one." / "已获取该版本的 {count} 台设备将恢复为线上版本。";
    gray_end_final = "A task that has ended does not begin again; create another one." / "任务结束后不可恢复，可重新创建。";
    gray_ended_now = "The gray task has ended." / "灰度任务已结束。";
    gray_publish = "Publish for all" / "全量发布";
    gray_edit(name) = "Edit {name}" / "编辑 {name}";
    gray_edit_widens = "It has started, so it can only be widened: nobody loses the version by an edit. To narrow it, end it and create another one." / "任务已开始，只能扩大范围：编辑不会使任何设备失去该版本。如需缩小范围，请结束后重新创建。";
    gray_in_stages = "A share that rises by itself" / "按阶段自动放量";
    gray_stages = "Stages" / "放量阶段";
    gray_stages_hint = "One in each line: the hours after the start, and the share in % from then on, such as 0 10, 24 50 and 72 100. Leave the share above empty then." / "每行一个阶段：开始后的小时数和该阶段的比例（%），例如 0 10、24 50、72 100。填写后请将上方比例留空。";
    gray_no_stage(line) = "{line}: expected hours and a share, such as 24 50." / "{line}：应为小时数和比例，例如 24 50。";
    gray_share_twice = "Either a share or stages." / "比例和阶段只能填写一项。";
    gray_bucket_key = "Bucket key" / "分桶键";
    gray_bucket_key_hint = "Tasks with the same key choose the same devices. Empty for devices of its own." / "分桶键相同的任务命中相同的设备。留空则独立分桶。";
    gray_key_of_nothing = "A bucket key needs a share or stages." / "填写分桶键时须同时填写比例或阶段。";
    gray_policies = "… as these policies judge" / "灰度策略与守护策略";
    gray_policies_hint = "All grayscale policies must admit a device. Guards watch how the task goes." / "设备须通过所有灰度策略；守护策略监测任务的健康状况。";
    gray_more_policies = "… and as other policies judge" / "其他灰度策略与守护策略";
    gray_further_policies(count) = "{count} more are installed; name them by command." / "另有 {count} 个已安装的策略，可通过命令指定。";
    gray_policy_settings(name) = "Settings of {name}" / "{name} 的设置";
    gray_window_minutes = "Minutes between looks" / "检查间隔（分钟）";
    gray_window_minutes_hint = "1 to 1,440; empty for 5." / "1–1440，留空为 5。";
    gray_min_devices = "Devices before it looks" / "最少设备数";
    gray_min_devices_hint = "How many must have tried the version; empty for 50." / "运行过该版本的设备数，留空为 50。";
    gray_limits = "Limits" / "资源限制";
    gray_limits_hint = "As JSON, such as {\"deadline_ms\": 50}; empty for those of its kind." / "以 JSON 填写，例如 {\"deadline_ms\": 50}；留空则采用默认限制。";
    gray_admits = "… to devices that these admit" / "命中条件表达式";
    gray_admits_hint = "With and, or, not and parentheses between the names of policies, such as percentage or (ios and not tablets); conditions are the conditions above. Empty: all policies must admit a device." / "用 and、or、not 和括号连接策略名称，例如 percentage or (ios and not tablets)；conditions 指上方的灰度条件。留空表示须通过所有策略。";
    gray_admits_names(names) = "The names are {names}." / "可用名称：{names}。";
    gray_admits_who(expression) = "A device gets it for which this holds: {expression}." / "满足以下条件的设备可获取：{expression}。";
    gray_like = "New one like it" / "复制为新任务";

    gray_progress = "How it goes" / "灰度进度";
    gray_no_news = "No news yet: devices ask when they start the MiniApp." / "暂无数据：设备在启动小程序时进行版本检查。";
    gray_nobody_asked = "No device got the version." / "没有设备获取过该版本。";
    gray_offered = "Offered" / "已下发";
    gray_downloaded = "Downloaded" / "已下载";
    gray_running = "Running" / "运行中";
    gray_waiting = "No news of them" / "尚无消息";
    gray_failed = "Failed" / "失败";
    gray_fell_back = "Fell back" / "已回退";
    gray_fell_back_hint(count) = "A device on which the version failed {count} times falls back to the online one." / "版本在设备上失败 {count} 次后，该设备回退到线上版本。";
    gray_never_falls_back = "Devices do not fall back, however often the version fails." / "无论失败多少次，设备都不会回退。";
    gray_over_time = "Devices over time" / "设备数随时间变化";
    gray_over_time_desc(offered, downloaded, running, failed) = "Up to now {offered} devices were offered the version, {downloaded} downloaded it, {running} ran it, on {failed} it failed." / "截至目前，已下发 {offered} 台，已下载 {downloaded} 台，已运行 {running} 台，失败 {failed} 台。";
    gray_same_numbers = "The same numbers as a table" / "以表格查看";
    gray_by_then = "By" / "截至";
    gray_reasons = "Why it failed" / "失败原因";
    gray_reason = "Reason" / "原因";
    gray_no_reason = "none given" / "未提供";
    gray_devices = "Devices" / "设备数";
    gray_failures = "Failures" / "失败次数";
    gray_last_seen = "Last" / "最近一次";
    gray_more_reasons(count) = "And {count} more." / "另有 {count} 种原因。";

    gray_guards = "Guards" / "守护策略";
    gray_watches(minutes, devices) = "Looks every {minutes} minutes, once {devices} devices have tried the version." / "有 {devices} 台设备运行过该版本后，每 {minutes} 分钟检查一次。";
    gray_next_look(when) = "Next look: {when}." / "下次检查：{when}。";
    gray_no_looks = "It has not looked yet." / "尚未检查。";
    gray_said = "It said" / "结论";
    gray_its_version = "Failed of tried, gray" / "灰度版本失败/运行";
    gray_other_version = "Failed of tried, online" / "线上版本失败/运行";
    gray_said_too_few = "too few devices" / "设备过少";
    gray_said_carry_on = "carry on" / "继续";
    gray_said_suspend = "suspend" / "暂停";
    gray_said_end = "end" / "结束";

    gray_moves = "What moved it" / "变更记录";
    gray_cause = "Cause" / "起因";
    gray_changed(field, from, to) = "{field}: {from} → {to}" / "{field}：{from} → {to}";
    cause_hand = "by hand" / "人工操作";
    cause_time = "by time" / "时间已到";
    cause_cap = "by its cap" / "达到数量上限";
    cause_superseded = "overtaken by a release" / "被新版本取代";
    cause_off_shelf = "off the shelf" / "小程序下架";
    cause_guard = "by a guard" / "守护策略";

    lists = "Lists" / "名单";
    lists_none = "No list yet. A gray task may take the devices or accounts of a list." / "还没有名单。灰度任务可指定名单中的设备或账号。";
    list_upload = "Upload a list" / "上传名单";
    list_name = "Name of the list" / "名单名称";
    list_name_hint = "1 to 64 characters; empty for the name of the file." / "1–64 个字符；留空则使用文件名。";
    list_column = "Column of a table" / "表格列";
    list_column_hint = "Its number from 1, or its heading. Empty for a file with one member in each line." / "列号（从 1 开始）或表头。每行一个成员的文件请留空。";
    list_as_is = "Take every line as it is" / "按原样读取每一行";
    list_as_is_hint = "Even if it looks like a row of a table." / "即使该行看起来像表格数据。";
    list_file = "File" / "文件";
    list_file_hint = "A text with one guid, device id or account in each line, in UTF-8; at most 1,000,000." / "UTF-8 文本，每行一个 GUID、设备标识或账号，最多 1,000,000 个。";
    list_no_file = "Choose a file." / "请选择文件。";
    list_read(name, members, first, duplicates, blanks) = "{name}: {members} members, beginning with {first}. {duplicates} lines repeated one, {blanks} were blank." / "{name}：共 {members} 个成员，开头为 {first}。重复 {duplicates} 行，空白 {blanks} 行。";
    list_odd(count) = "{count} lines look like something else than one member." / "{count} 行看起来不是单个成员。";
    list_members = "Members" / "成员数";
    list_lines = "Lines" / "行数";
    list_duplicates = "Repeated" / "重复";
    list_blanks = "Blank" / "空白";

    ask_as_device = "Ask as a device" / "模拟版本检查";
    ask_as_its_device = "Ask as a device that gets it" / "模拟命中的设备";
    ask_none_gets = "None of the devices that were made up gets it. This is the last of them; the rules say why." / "所有模拟设备均未命中。以下为最后一台，原因见各条规则。";
    ask_hint = "What a device gets, and why. Nothing is counted, and no device is admitted by this. The address of this page holds the whole question." / "查看设备获取的内容及原因。不会计数，也不会让设备进入灰度。此页地址包含完整问题。";
    ask_host_app = "Host app" / "宿主应用";
    ask_guid = "guid" / "GUID";
    ask_guid_hint = "Names the installation; grayscale counts by it." / "标识一次安装，灰度按此计数。";
    ask_device_id = "Device id" / "自定义设备标识";
    ask_account = "Account" / "用户账号";
    ask_platform = "System" / "操作系统";
    ask_os_version = "Version of the system" / "系统版本";
    ask_host_version = "Version of the host app" / "宿主应用版本";
    ask_network = "Network" / "网络类型";
    ask_has_version = "Version that it has" / "设备上的版本";
    ask_has_version_hint = "Empty for none." / "留空表示没有。";
    ask = "Ask" / "版本检查";
    ask_answer = "The answer" / "检查结果";
    ask_update(version) = "It fetches {version} and runs it." / "获取并运行 {version}。";
    ask_current(version) = "It runs {version}, which it has." / "继续运行设备上的 {version}。";
    ask_removed = "It may not run any version: the MiniApp is off the shelf." / "小程序已下架，不可运行任何版本。";
    ask_unknown = "There is nothing for it to run." / "没有可运行的版本。";
    ask_because_online = "It is the online version, which everybody gets." / "这是所有设备获取的线上版本。";
    ask_because_gray = "A gray task gives it to the device." / "设备命中了灰度任务。";
    ask_because_trial = "The account is named in the trial." / "该账号在体验名单中。";
    ask_force = "What the device has must not run any more." / "设备上的版本不可再运行。";
    ask_package = "Package" / "代码包";
    ask_rules = "Every rule that was tried" / "依次判断的规则";
    outcome_admitted = "admitted" / "命中";
    outcome_refused = "refused" / "未命中";
    outcome_not_asked = "not asked" / "未询问";
    gray_all = "all of" / "全部满足";
    gray_any = "any of" / "任一满足";
    gray_not = "not" / "不满足";
    ask_passed = "passed" / "通过";
    ask_not_passed = "not passed" / "未通过";
}

impl Texts {
    /// How many devices a task has admitted, and of how many.
    pub fn admitted(self, task: &GrayTask) -> String {
        match task.max_users {
            Some(cap) => self.admitted_of(grouped(task.admitted), grouped(cap)),
            None => self.admitted_devices(grouped(task.admitted)),
        }
    }

    /// What a part of an expression over policies is called: a group by its words, a policy by its name.
    pub fn gray_branch_name<'a>(&self, branch: &'a Branch) -> &'a str {
        match branch.what.as_str() {
            "all" => self.gray_all(),
            "any" => self.gray_any(),
            "not" => self.gray_not(),
            name => name,
        }
    }

    /// What came of a part of such an expression.
    pub fn gray_outcome_name(self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Admitted => self.outcome_admitted(),
            Outcome::Refused => self.outcome_refused(),
            Outcome::Failed => self.outcome_failed(),
            Outcome::NotAsked => self.outcome_not_asked(),
        }
    }

    /// Why a gray task moved.
    pub fn gray_cause_name(self, cause: &Cause) -> &'static str {
        match cause {
            Cause::Hand => self.cause_hand(),
            Cause::Time => self.cause_time(),
            Cause::Cap => self.cause_cap(),
            Cause::Superseded => self.cause_superseded(),
            Cause::OffShelf => self.cause_off_shelf(),
            Cause::Guard => self.cause_guard(),
        }
    }

    /// What a property of devices is called of which lists are made.
    pub fn gray_object_name(self, kind: &ObjectKind) -> &'static str {
        match kind {
            ObjectKind::Guid => self.gray_guids(),
            ObjectKind::DeviceId => self.gray_device_ids(),
            ObjectKind::Account => self.gray_accounts(),
        }
    }

    /// What a guard said, in a word.
    pub fn gray_said_name(self, said: &GuardSaid) -> &'static str {
        match said {
            GuardSaid::TooFew => self.gray_said_too_few(),
            GuardSaid::CarryOn => self.gray_said_carry_on(),
            GuardSaid::Suspend => self.gray_said_suspend(),
            GuardSaid::End => self.gray_said_end(),
            GuardSaid::Failed => self.outcome_failed(),
            GuardSaid::Trapped => self.outcome_trapped(),
            GuardSaid::Limited => self.outcome_limited(),
        }
    }
}
