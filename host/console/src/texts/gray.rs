//! Grayscale.

use super::texts;

texts! {
    new_gray_task = "New gray task" / "新建灰度任务";
    no_gray_tasks = "No gray task yet. A gray task gives a version to some devices before everybody gets it." / "还没有灰度任务。灰度任务可在全量发布前，先将版本下发给部分设备。";
    conditions = "Who gets it" / "灰度条件";
    everybody_asked = "every device that asks" / "所有进行版本检查的设备";
    ends = "Ends" / "结束时间";
}
