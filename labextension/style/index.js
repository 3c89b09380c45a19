import './index.css';
import './charts.css';
import './layers.css';
import './panel.css';
import './tabs.css';
