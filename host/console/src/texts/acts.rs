//! Who did what.

use super::texts;

texts! {
    acts = "Acts" / "操作审计";
    acts_hint = "Who did what, from where, and what it changed. What somebody may not do is here, too." / "谁在何处做了什么、变更了哪些内容；因无权限等原因被拒绝的操作也会记录。";
    no_acts = "Nobody has done anything of that kind, or it is not kept any more." / "没有符合条件的操作记录，或记录已超过保留期限。";
    act_operation = "Operation" / "操作";
    act_operation_hint = "Exact, or with a star: versions.publish, access.*" / "完整名称，或以星号结尾，例如 versions.publish、access.*";
    act_about = "About" / "涉及对象";
    act_about_hint = "What acts are about is a kind and an id: team:ID, mini_app:ID, host_app:ID, merchant:ID or workspace:ID." / "涉及对象按“类型:ID”填写：team:ID、mini_app:ID、host_app:ID、merchant:ID、workspace:ID。";
    act_no_place = "Write a kind and an id with a colon between, such as mini_app:coffee." / "请按“类型:ID”的格式填写，例如 mini_app:coffee。";
    act_done = "done" / "已完成";
    act_refused = "refused" / "被拒绝";
    act_from = "From" / "开始时间";
    act_until = "Until" / "结束时间";
    act_changes = "What it changed" / "变更内容";
    act_changed_nothing = "It changed nothing, or nothing that you may read." / "没有产生变更，或变更内容您无权查看。";
    act_before = "Before" / "变更前";
    act_after = "After" / "变更后";
    act_request = "Request" / "请求";
    act_request_id = "Id of the request" / "请求 ID";
    act_browser = "Client" / "客户端";
    act_of_event = "Act" / "所属操作";
    act_account = "Account id" / "账号 ID";
    see_acts = "Acts" / "操作记录";
    export_csv = "Export as CSV" / "导出 CSV";
}
