//! What stands around every page.

use super::texts;

texts! {
    no_moment = "Choose a day and a time." / "请选择日期和时间。";
    no_number = "Write a number." / "请填写数字。";
    no_json(error) = "This is not JSON: {error}." / "不是有效的 JSON：{error}。";
    skip_to_content = "Skip to content" / "跳到主要内容";
    menu = "Menu" / "菜单";
    crumbs = "Where this page is" / "当前位置";
    home = "Home" / "首页";
    mini_apps = "MiniApps" / "小程序";
    audits = "Audits" / "审核";
    host_apps = "Host apps" / "宿主应用";
    policies = "Policies" / "策略";
    merchants = "Merchants" / "商户";
    events = "Events" / "事件";
    webhooks = "Webhooks" / "事件推送";
    accounts = "Accounts" / "账号";
    my_access = "My access" / "我的权限";
    search = "Search" / "搜索";
    search_hint = "Name or id" / "名称或 ID";
    sign_out = "Sign out" / "退出登录";
    language = "Language" / "语言";
    theme = "Theme" / "主题";
    theme_system = "As the system" / "跟随系统";
    theme_light = "Light" / "浅色";
    theme_dark = "Dark" / "深色";
    change = "Change" / "更改";
    times_in(zone) = "Times are in {zone}" / "时间按 {zone} 时区显示";
    by_command = "Do this by command" / "使用命令行操作";
    copy = "Copy" / "复制";
    copied = "Copied" / "已复制";
    cancel = "Cancel" / "取消";
    older = "Older" / "更早的记录";
    next_page = "Next page" / "下一页";
    previous_page = "Previous page" / "上一页";
    filter = "Filter" / "筛选";
    clear = "Clear" / "清除筛选";
    all = "All" / "全部";
    none_yet = "None yet" / "暂无";
    unknown = "unknown" / "未知";
    the_host = "Berth itself" / "Berth 系统";
    optional = "optional" / "选填";
    note = "Note" / "备注";
    note_hint = "For the history; people will read it later. At most 500 characters." / "将写入历史记录，供日后查看。最多 500 个字符。";
    yes = "Yes" / "是";
    no = "No" / "否";
    save = "Save" / "保存";
    details = "Details" / "详情";
    name = "Name" / "名称";
    state = "State" / "状态";
    when = "When" / "时间";
    by_whom = "By" / "操作人";
    role = "Role" / "角色";
    page_updated = "This page was updated." / "页面已更新。";

    refused_heading = "That was not possible" / "操作未能完成";
    not_found_heading = "There is nothing here" / "内容不存在";
    not_found_text = "It does not exist, or you may not know of it." / "您访问的内容不存在，或您无权查看。";
    broken_heading = "Something broke" / "页面出错了";
    broken_text = "The console could not make this page. The host's log says why." / "控制台无法生成此页面，原因请查看服务器日志。";
    forbidden_heading = "You may not do this" / "您没有此操作的权限";
    forbidden_text = "Your roles do not allow it. “My access” shows which you have; an admin of the place gives others."
        / "您的角色不允许此操作。可在“我的权限”中查看已有角色；如需其他角色，请联系相应的管理员。";
    overtaken = "Somebody else has saved meanwhile. What is there now is shown beside what you typed; saving again replaces it." / "其他人已先行保存。页面在您填写的内容旁显示了当前内容，再次保存将以您填写的内容覆盖。";
    overtaken_gone = "What the form was about was taken out meanwhile: saving adds it anew." / "此项已被其他人删除，保存后将重新添加。";
    there_now = "There now: " / "当前内容：";
    must_be_filled = "Fill this in." / "请填写此项。";
    what_it_means = "What this means, and what to do" / "查看说明与处理办法";
    colon = ": " / "：";
    problem_cause = "What has happened" / "发生了什么";
    problem_cure = "What to do" / "如何处理";
    problem_by_request = "By command or by a program" / "通过命令行或程序";
    request_number(id) = "Request {id}" / "请求编号：{id}";
    back_home = "Go to the first page" / "返回首页";
}
